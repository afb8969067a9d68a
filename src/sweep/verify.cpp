#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <lrid/core/error.hpp>
#include <lrid/core/file.hpp>
#include <lrid/core/interrupt.hpp>
#include <lrid/core/progress.hpp>
#include <lrid/sweep/verify.hpp>

namespace lrid::sweep {

namespace {

Verdict verdict_on(const train::RunPlan& plan, const train::MakeCallback& make_callback) {
  Verdict verdict{.file = plan.out, .fault = "", .software = "", .config_sha256 = ""};
  try {
    const auto callback = make_callback(plan);
    const train::Existing found = callback->existing();
    if (found.kind == train::Existing::Kind::nothing) {
      verdict.fault = "is not there";
      return verdict;
    }
    verdict.software = found.software;
    verdict.config_sha256 = sha256(found.config);
    const std::string difference = train::first_difference(found.config, plan.toml, /*complete=*/true);
    verdict.fault =
        difference.empty() ? callback->find_fault() : "was made with another configuration: " + difference;
  } catch (const InputError& error) {
    verdict.fault = error.what();
  }
  return verdict;
}

std::ptrdiff_t count_sound(const std::vector<Verdict>& verdicts) {
  return std::ranges::count(verdicts, "", &Verdict::fault);
}

}  // namespace

std::vector<Verdict> verify(const std::vector<train::RunPlan>& plans,
                            const train::MakeCallback& make_callback) {
  Progress progress("verifying", static_cast<double>(plans.size()), "files");
  std::vector<Verdict> verdicts;
  for (const train::RunPlan& plan : plans) {
    check_interrupt();
    verdicts.push_back(verdict_on(plan, make_callback));
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

}  // namespace lrid::sweep
