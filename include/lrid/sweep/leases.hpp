#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <lrid/train/lease.hpp>

namespace lrid::sweep {

/// The process that holds a lease. Process numbers repeat, so its start time is part of it; host names
/// repeat, so the boot and the process namespace are.
struct LeaseHolder {
  std::string host;
  std::int64_t pid = 0;
  std::uint64_t started = 0;  ///< clock ticks since boot
  std::uint64_t machine = 0;  ///< hash of the boot's id and the process namespace
  std::uint64_t lease = 0;    ///< drawn anew for each lease

  static LeaseHolder this_process();
  static std::optional<LeaseHolder> parse(const std::string& text);
  [[nodiscard]] std::string text() const;

  /// Known at once for a process of this machine, never for one of another.
  enum class Life { running, ended, unknown };
  [[nodiscard]] Life life() const;
};

/// A lease as its file tells it.
struct LeaseRecord {
  LeaseHolder holder;
  std::optional<train::RunProgress> progress;  ///< nothing until the first heartbeat
  double silent_seconds = 0;  ///< since the last heartbeat, by the file system's clock and ours
};
/// The lease on `out`; nothing if nobody holds one.
std::optional<LeaseRecord> read_lease(const std::filesystem::path& out);

/// The leases of this process: no two processes train the same network at the same time, on whatever hosts.
///
/// A lease on `<out>` is a folder `<out>.claim` with one file, whose name identifies the holder and whose
/// content changes with every heartbeat. Every change is one rename or removal, which network file systems do
/// whole, and none is done to a file other than exactly the one that was read:
/// - acquiring: a folder prepared elsewhere is renamed to `<out>.claim`, which fails where one is that is not
/// empty;
/// - taking over a stale lease: its file is renamed from the old holder's name to the new one's; of several
/// processes that try, one still finds it;
/// - releasing: the file is removed, then the folder, which fails where another process has put its own.
///
/// A lease is stale at once if its process belonged to this machine and has ended; otherwise when its
/// heartbeat has not changed for `stale_seconds` of our own time: clocks of different hosts are not compared.
class Leases {
 public:
  /// Writes heartbeats every tenth of `stale_seconds`, at most every 30 s.
  explicit Leases(double stale_seconds);
  ~Leases();
  Leases(const Leases&) = delete;
  Leases& operator=(const Leases&) = delete;

  /// The lease on `out`, null if another holds it; this object must outlive it. WorkError where the folder
  /// cannot be written.
  std::unique_ptr<train::Lease> acquire(const std::filesystem::path& out);

  enum class Standing {
    free,   ///< `acquire` may succeed
    held,   ///< by a process that may be alive or not
    alive,  ///< by a live process: its heartbeat has changed since we first looked
  };
  Standing standing(const std::filesystem::path& out);

 private:
  struct Held;
  class HeldLease;
  using Clock = std::chrono::steady_clock;
  /// Another process's lease as it was when it last changed.
  struct Seen {
    std::string file, content;
    Clock::time_point since;
    bool changed = false;  ///< its heartbeat, while the holder stayed the same
  };

  using Found = std::pair<std::filesystem::path, LeaseHolder>;

  static std::string heartbeat(const Held& held);
  Standing judge(const std::filesystem::path& out, const std::optional<Found>& found);
  std::unique_ptr<train::Lease> create(const std::filesystem::path& out);
  std::unique_ptr<train::Lease> hold(const std::filesystem::path& out, const LeaseHolder& holder);
  void beat(std::unique_lock<std::mutex>& lock);
  void release(const Held& held);

  const Clock::duration stale_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::map<std::filesystem::path, std::shared_ptr<Held>> held_;  ///< by the lease's file
  std::map<std::filesystem::path, Seen> seen_;                   ///< by run
  std::thread heart_;
};

/// Removes what killed processes left while they acquired a lease on `out`.
void remove_lease_leftovers(const std::filesystem::path& out);

}  // namespace lrid::sweep
