#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/train/verify.hpp>

namespace lrid::train {

namespace {

Verdict verdict_on(const RunPlan& plan, const MakeWatcher& make_watcher) {
  Verdict verdict{.file = plan.out, .fault = "", .software = "", .config_sha256 = ""};
  try {
    const auto watcher = make_watcher(plan);
    const Existing found = watcher->existing();
    if (found.kind == Existing::Kind::nothing) {
      verdict.fault = "is not there";
      return verdict;
    }
    verdict.software = found.software;
    verdict.config_sha256 = sha256(found.config);
    const std::string difference = first_difference(found.config, plan.toml, /*complete=*/true);
    verdict.fault =
        difference.empty() ? watcher->find_fault() : "was made with another configuration: " + difference;
  } catch (const InputError& error) {
    verdict.fault = error.what();
  }
  return verdict;
}

std::ptrdiff_t count_sound(const std::vector<Verdict>& verdicts) {
  return std::ranges::count(verdicts, "", &Verdict::fault);
}

}  // namespace

std::vector<Verdict> verify(const std::vector<RunPlan>& plans, const MakeWatcher& make_watcher) {
  Progress progress("verifying", static_cast<double>(plans.size()), "files");
  std::vector<Verdict> verdicts;
  for (const RunPlan& plan : plans) {
    check_interrupt();
    verdicts.push_back(verdict_on(plan, make_watcher));
    progress.advance();
  }
  return verdicts;
}

std::string to_text(const std::vector<Verdict>& verdicts) {
  std::string text;
  std::map<std::string, int> versions;
  for (const Verdict& verdict : verdicts) {
    if (verdict.fault.empty())
      ++versions[verdict.software];
    else
      text += fmt::format("{}: {}\n", verdict.file.string(), verdict.fault);
  }
  text += fmt::format("{} of {} networks sound\n", count_sound(verdicts), verdicts.size());
  for (const auto& [software, count] : versions) text += fmt::format("  {} by {}\n", count, software);
  return text;
}

std::string to_json(const std::vector<Verdict>& verdicts) {
  nlohmann::ordered_json json{{"networks", verdicts.size()}, {"sound", count_sound(verdicts)}};
  json["runs"] = nlohmann::ordered_json::array();
  for (const Verdict& verdict : verdicts)
    json["runs"].push_back(
        {{"file", verdict.file.string()},
         {"fault", verdict.fault.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(verdict.fault)},
         {"software", verdict.software},
         {"config_sha256", verdict.config_sha256}});
  return json.dump(2) + "\n";
}

}  // namespace lrid::train
