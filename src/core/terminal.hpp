#pragma once

#include <string>

namespace lrid::terminal {

/// Replaces the status line at the bottom of stderr, cut to the terminal's width.
void show_status(const std::string& text);
/// Leaves the status line in place and continues below it.
void keep_status();
/// Prints a line above the status line.
void print_line(const std::string& text);

}  // namespace lrid::terminal
