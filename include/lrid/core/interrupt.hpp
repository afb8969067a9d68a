#pragma once

namespace lrid {

/// From now on SIGINT, SIGTERM and SIGUSR1 only set a flag; a second SIGINT ends the process at once.
void catch_interrupts();
/// Whether one has arrived. Long loops look at it between steps, write their state and throw Interrupted.
bool interrupt_requested();
/// Throws Interrupted if one has arrived.
void check_interrupt();
/// Sets the flag as a signal would (tests).
void request_interrupt(bool on = true);

}  // namespace lrid
