#pragma once

#include <string>

namespace lrid::terminal {

/// Shows (replaces) the one status line at the bottom of stderr, cut to the terminal's width.
void show_status(const std::string& text);
/// Leaves the status line where it is and goes on below it.
void keep_status();
/// Prints a line above the status line.
void print_line(const std::string& text);

}  // namespace lrid::terminal
