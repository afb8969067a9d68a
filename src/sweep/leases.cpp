#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <lrid/core/app.hpp>
#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/log.hpp>
#include <lrid/core/random.hpp>
#include <lrid/core/text.hpp>
#include <lrid/sweep/leases.hpp>

namespace lrid::sweep {

namespace fs = std::filesystem;

namespace {

/// Heartbeats are written over each other in place, so all have the same length.
constexpr std::size_t heartbeat_length = 256;

fs::path lease_folder(const fs::path& out) {
  return companion_path(out, ".claim");
}

/// State and start of a process, as proc(5) has them; nothing if that cannot be read.
struct ProcessStat {
  char state;
  std::uint64_t started;
};
std::optional<ProcessStat> stat_of(std::int64_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is a name in parentheses that may hold anything.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= line.size()) return std::nullopt;
  const std::vector<std::string> fields = split(std::string_view(line).substr(name_end + 2), ' ');
  constexpr std::size_t start_field = 19;  // 22 of the whole line
  if (fields.size() <= start_field) return std::nullopt;
  return ProcessStat{fields[0].empty() ? '?' : fields[0][0],
                     parse_number<std::uint64_t>(fields[start_field]).value_or(0)};
}

std::uint64_t this_machine() {
  std::error_code ignored;
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  return Key(0, boot).with(fs::read_symlink("/proc/self/ns/pid", ignored).string()).value();
}

/// The file in a lease's folder and the holder that its name gives; nothing if there is none (or no folder).
std::optional<std::pair<fs::path, LeaseHolder>> lease_file(const fs::path& out) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(lease_folder(out), ignored))
    if (const auto holder = LeaseHolder::parse(entry.path().filename().string()))
      return std::pair{entry.path(), *holder};
  return std::nullopt;
}

/// Opens the file anew each time and never creates it: after a takeover it has another name, which
/// HeldLease::require reports where it matters.
void write_heartbeat(const fs::path& file, const std::string& text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const bool written = ::pwrite(descriptor, text.data(), text.size(), 0) == std::ssize(text);
  if (::close(descriptor) != 0 || !written)
    spdlog::debug("{}: cannot write the heartbeat: {}", file.string(), std::strerror(errno));
}

/// "" where the file has gone meanwhile.
std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

// --- Who holds a lease -----------------------------------------------------------------------------------

LeaseHolder LeaseHolder::this_process() {
  static const std::string host = [] {
    std::string name = host_name();
    std::ranges::replace(name, '/', '-');
    return name.empty() ? "unknown" : name;
  }();
  static const std::uint64_t machine = this_machine();
  const auto stat = stat_of(::getpid());
  return {.host = host,
          .pid = ::getpid(),
          .started = stat ? stat->started : 0,
          .machine = machine,
          .lease = system_bits()};
}

std::string LeaseHolder::text() const {
  return fmt::format("{}.{}.{}.{:016x}.{:016x}", host, pid, started, machine, lease);
}

std::optional<LeaseHolder> LeaseHolder::parse(const std::string& text) {
  std::vector<std::string> parts = split(text, '.');
  if (parts.size() < 5) return std::nullopt;
  const auto numbers = parts.end() - 4;
  const std::string host = join({parts.begin(), numbers}, ".");  // a host's name may have points
  const auto pid = parse_number<std::int64_t>(numbers[0]);
  const auto started = parse_number<std::uint64_t>(numbers[1]);
  const auto machine = parse_hexadecimal(numbers[2]), lease = parse_hexadecimal(numbers[3]);
  if (host.empty() || !pid || !started || !machine || !lease) return std::nullopt;
  return LeaseHolder{.host = host, .pid = *pid, .started = *started, .machine = *machine, .lease = *lease};
}

LeaseHolder::Life LeaseHolder::life() const {
  const LeaseHolder here = this_process();
  if (host != here.host || machine != here.machine || pid <= 0) return Life::unknown;
  if (::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) return Life::ended;
  const auto stat = stat_of(pid);
  if (!stat) return Life::unknown;
  return stat->started != started || stat->state == 'Z' || stat->state == 'X' ? Life::ended : Life::running;
}

std::optional<LeaseRecord> read_lease(const fs::path& out) {
  const auto found = lease_file(out);
  if (!found) return std::nullopt;
  LeaseRecord record{found->second, std::nullopt, 0};
  const auto content = nlohmann::json::parse(content_of(found->first), nullptr, /*allow_exceptions=*/false);
  if (content.is_object() && content.value("steps", 0) > 0)
    record.progress = {content.value("step", std::int64_t{0}), content.value("steps", std::int64_t{0}),
                       content.value("first_step", std::int64_t{0}), content.value("seconds", 0.0),
                       content.value("device", "")};
  struct stat info {};
  if (::stat(found->first.c_str(), &info) == 0)
    record.silent_seconds = std::max(0.0, std::difftime(std::time(nullptr), info.st_mtime));
  return record;
}

// --- One lease of ours -----------------------------------------------------------------------------------

struct Leases::Held {
  fs::path out, file;
  std::int64_t beats = 0;
  train::RunProgress progress;
};

class Leases::HeldLease final : public train::Lease {
 public:
  HeldLease(Leases& leases, std::shared_ptr<Held> held) : leases_(leases), held_(std::move(held)) {}
  ~HeldLease() override { leases_.release(*held_); }
  HeldLease(const HeldLease&) = delete;
  HeldLease& operator=(const HeldLease&) = delete;

  void require() const override {
    // Opened rather than looked up: network file systems then ask the server.
    const int descriptor = ::open(held_->file.c_str(), O_RDONLY | O_CLOEXEC);
    const int reason = errno;
    if (descriptor >= 0) {
      ::close(descriptor);
      return;
    }
    std::error_code ignored;
    if (reason != ENOENT || !fs::is_directory(fs::absolute(held_->out).parent_path(), ignored))
      work_failed("{}: its folder cannot be reached any more: {}", held_->out.string(),
                  std::strerror(reason));
    const auto other = lease_file(held_->out);
    throw train::LeaseLost(fmt::format(
        "{}: its lease was taken over by {}", held_->out.string(),
        other ? fmt::format("process {} of {}", other->second.pid, other->second.host) : "another process"));
  }

  void report(const train::RunProgress& progress) const override {
    const std::lock_guard lock(leases_.mutex_);
    held_->progress = progress;
  }

 private:
  Leases& leases_;
  std::shared_ptr<Held> held_;
};

// --- All leases of this process --------------------------------------------------------------------------

Leases::Leases(double stale_seconds)
    : stale_(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(stale_seconds))) {
  const Clock::duration interval = std::min<Clock::duration>(stale_ / 10, std::chrono::seconds(30));
  heart_ = std::thread([this, interval] {
    std::unique_lock lock(mutex_);
    while (!stop_.wait_for(lock, interval, [this] { return stopping_; })) beat(lock);
  });
}

Leases::~Leases() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  heart_.join();
}

std::string Leases::heartbeat(const Held& held) {
  std::string text = nlohmann::json{{"beat", held.beats},
                                    {"step", held.progress.step},
                                    {"steps", held.progress.steps},
                                    {"first_step", held.progress.first_step},
                                    {"seconds", held.progress.seconds},
                                    {"device", held.progress.device}}
                         .dump();
  text.resize(heartbeat_length - 1, ' ');
  return text + "\n";
}

void Leases::beat(std::unique_lock<std::mutex>& lock) {
  std::vector<std::pair<fs::path, std::string>> beats;
  for (const auto& [file, held] : held_) {
    ++held->beats;
    beats.emplace_back(file, heartbeat(*held));
  }
  lock.unlock();  // a step does not wait for a slow file system
  for (const auto& [file, text] : beats) write_heartbeat(file, text);
  lock.lock();
}

Leases::Standing Leases::standing(const fs::path& out) {
  return judge(out, lease_file(out));
}

Leases::Standing Leases::judge(const fs::path& out, const std::optional<Found>& found) {
  const std::lock_guard lock(mutex_);
  if (!found) {
    seen_.erase(out);
    return Standing::free;
  }
  const auto& [file, holder] = *found;
  if (held_.contains(file)) return Standing::alive;
  const LeaseHolder self = LeaseHolder::this_process();
  const bool of_this_process =
      holder.pid == self.pid && holder.started == self.started && holder.machine == self.machine;
  const LeaseHolder::Life life = holder.life();
  // A program that has replaced itself by exec no longer holds what it held.
  if (of_this_process || life == LeaseHolder::Life::ended) return Standing::free;
  if (life == LeaseHolder::Life::running) return Standing::alive;
  Seen& seen = seen_[out];
  std::string content = content_of(file);
  if (seen.file != file || seen.content != content)
    seen = {file, std::move(content), Clock::now(), seen.file == file};
  if (Clock::now() - seen.since >= stale_) return Standing::free;
  return seen.changed ? Standing::alive : Standing::held;
}

std::unique_ptr<train::Lease> Leases::acquire(const fs::path& out) {
  const auto found = lease_file(out);
  if (judge(out, found) != Standing::free) return nullptr;
  if (!found) return create(out);
  const LeaseHolder holder = LeaseHolder::this_process();
  std::error_code failed;
  fs::rename(found->first, lease_folder(out) / holder.text(), failed);
  if (failed) return nullptr;  // another was first
  spdlog::info("{}: taken over from process {} of {}, which has ended", out.string(), found->second.pid,
               found->second.host);
  return hold(out, holder);
}

std::unique_ptr<train::Lease> Leases::create(const fs::path& out) {
  const LeaseHolder holder = LeaseHolder::this_process();
  const fs::path folder = lease_folder(out), prepared = temporary_path(folder);
  std::error_code failed;
  fs::create_directory(prepared, failed);
  if (failed) work_failed("{}: cannot acquire its lease: {}", out.string(), failed.message());
  try {
    Held held{out, prepared / holder.text(), 0, {}};
    create_exclusively(held.file, heartbeat(held));
    fs::rename(prepared, folder, failed);
    if (failed && !lease_file(out)) {
      // Empty, on a file system that does not rename over an empty folder; removing it fails if it is not.
      ::rmdir(folder.c_str());
      fs::rename(prepared, folder, failed);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(prepared, ignored);
    throw;
  }
  if (!failed) return hold(out, holder);
  std::error_code ignored;
  fs::remove_all(prepared, ignored);
  if (fs::exists(folder, ignored) && !fs::is_directory(folder, ignored))
    bad_input("{}: is no folder, expected nothing or the lease on {}", folder.string(), out.string());
  return nullptr;
}

std::unique_ptr<train::Lease> Leases::hold(const fs::path& out, const LeaseHolder& holder) {
  auto held = std::make_shared<Held>(Held{out, lease_folder(out) / holder.text(), 0, {}});
  write_heartbeat(held->file, heartbeat(*held));
  const std::lock_guard lock(mutex_);
  held_[held->file] = held;
  seen_.erase(out);
  return std::make_unique<HeldLease>(*this, std::move(held));
}

void Leases::release(const Held& held) {
  {
    const std::lock_guard lock(mutex_);
    held_.erase(held.file);
  }
  ::unlink(held.file.c_str());
  ::rmdir(held.file.parent_path().c_str());  // not if another process's file is in it by now
}

void remove_lease_leftovers(const fs::path& out) {
  remove_temporaries_of({lease_folder(out)});
}

}  // namespace lrid::sweep
