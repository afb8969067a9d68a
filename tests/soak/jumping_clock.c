// Preloaded (LD_PRELOAD), gives a program a wall clock that jumps back by an hour at every seventh look, and forward
// again at the next. The steady clock is as it is.
#define _GNU_SOURCE
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_int looks;

int clock_gettime(clockid_t clock, struct timespec* time) {
  const int result = (int)syscall(SYS_clock_gettime, clock, time);
  if (clock == CLOCK_REALTIME && atomic_fetch_add(&looks, 1) % 7 == 6) time->tv_sec -= 3600;
  return result;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
