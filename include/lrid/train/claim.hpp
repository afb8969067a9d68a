#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace lrid::train {

/// Who trains a network: a process on a host. Process numbers repeat, so its start counts; host names repeat,
/// so the boot and the process namespace count.
struct ClaimHolder {
  std::string host;
  std::int64_t pid = 0;
  std::uint64_t started = 0;  ///< clock ticks since boot
  std::uint64_t machine = 0;  ///< hash of the boot's id and the process namespace
  std::uint64_t claim = 0;    ///< drawn for each claim

  static ClaimHolder this_process();
  static std::optional<ClaimHolder> parse(const std::string& text);
  [[nodiscard]] std::string text() const;

  /// What can be known at once: of a process of this machine all, of another nothing.
  enum class Life { running, ended, unknown };
  [[nodiscard]] Life life() const;
};

/// How far a claimed run is.
struct ClaimProgress {
  std::int64_t step = 0, steps = 0;  ///< made, of the whole run
  std::int64_t first_step = 0;       ///< where this process took it up
  double seconds = 0;                ///< since then
  std::string device;                ///< "cpu", "cuda:1"
};

/// What is written of a claim, for whoever looks on.
struct ClaimRecord {
  ClaimHolder holder;
  std::optional<ClaimProgress> progress;  ///< nothing until the first heartbeat
  double silent_seconds = 0;              ///< since the last heartbeat, by the file system's clock and ours
};
std::optional<ClaimRecord> read_claim(const std::filesystem::path& out);

class Claims;

/// A network claimed for this process; given back when the object goes.
class Claim {
 public:
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&& other) = delete;
  ~Claim();

  /// Throws ClaimLost unless the claim is still ours: before every write of the run's files. A process that
  /// was stopped for long may find that another has taken over.
  void require() const;
  /// To be written with the next heartbeat.
  void report(const ClaimProgress& progress) const;

 private:
  friend class Claims;
  struct Held;
  Claim(Claims* claims, std::shared_ptr<Held> held) : claims_(claims), held_(std::move(held)) {}
  Claims* claims_;
  std::shared_ptr<Held> held_;
};

/// Another process has taken over a claim of ours.
class ClaimLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The claims of this process: no two processes train the same network at the same time, on whatever hosts.
///
/// A claim on `<out>` is a folder `<out>.claim` with one file in it, whose name says who holds it and whose
/// content changes with every heartbeat. Every change is one rename or removal, which network file systems do
/// whole, and none is done to a file that is not exactly the one that was looked at:
/// - taking: a folder prepared elsewhere is renamed to `<out>.claim`, which fails where one is that is not
/// empty;
/// - taking over: the file is renamed from the old holder's name to the new one's; of several processes that
///   try, one still finds it;
/// - giving back: the file is removed, then the folder, which fails where another process has put its own.
///
/// A claim is stale at once if its process was one of this machine and has ended; otherwise when its
/// heartbeat has not changed for `stale_seconds` of our own time: clocks of different hosts are not compared.
class Claims {
 public:
  /// Writes heartbeats every tenth of `stale_seconds`, at most every 30 s.
  explicit Claims(double stale_seconds);
  ~Claims();
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;

  /// The claim on `out`, nothing if another holds it. WorkError where the folder cannot be written.
  std::optional<Claim> take(const std::filesystem::path& out);

  enum class Standing {
    free,   ///< `take` may succeed
    held,   ///< by a process that may be alive or not
    alive,  ///< by a process that lives: its heartbeat has changed since we first looked
  };
  Standing look(const std::filesystem::path& out);

 private:
  friend class Claim;
  using Clock = std::chrono::steady_clock;
  /// A claim of another as it was when it last changed.
  struct Seen {
    std::string file, content;
    Clock::time_point since;
    bool changed = false;  ///< its heartbeat, while the holder stayed the same
  };

  using Found = std::pair<std::filesystem::path, ClaimHolder>;

  static std::string heartbeat(const Claim::Held& held);
  Standing judge(const std::filesystem::path& out, const std::optional<Found>& found);
  std::optional<Claim> create(const std::filesystem::path& out);
  std::optional<Claim> hold(const std::filesystem::path& out, const ClaimHolder& holder);
  void beat(std::unique_lock<std::mutex>& lock);
  void give_back(const Claim::Held& held);

  const Clock::duration stale_;
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::map<std::filesystem::path, std::shared_ptr<Claim::Held>> held_;  ///< by the claim's file
  std::map<std::filesystem::path, Seen> seen_;                          ///< by run
  std::thread heart_;
};

}  // namespace lrid::train
