#include "coefficient.hpp"

#include <cmath>

namespace lrid::rules {

Coefficient Coefficient::declare(Options& options, const std::string& name, double value,
                                 const std::string& weighs) {
  Coefficient c{.value = value};
  const std::string key = "rule." + name;
  options.add(key, c.value, Accepts::at_least(0), "weight of " + weighs);
  std::string form = "constant";
  options.add(key + "_form", form, Accepts::one_of({"constant", "linear", "exponential"}),
              "how it changes with u, the epochs since its start: not; + rate·u; × exp(rate·u)");
  if (form == "linear") c.form = Form::linear;
  if (form == "exponential") c.form = Form::exponential;
  options.add(key + "_rate", c.rate, Accepts::anything(), "rate of that change, per epoch");
  options.add(key + "_start", c.start, Accepts::between(0, 1), "share of the run before which it is 0");
  options.add(key + "_stop", c.stop, Accepts::between(0, 1), "share of the run after which it is 0");
  options.add(key + "_cycle", c.cycle, Accepts::above(0),
              "epochs in which u rises to half of them and falls back to 0; auto: u only rises");
  if (c.stop < c.start) options.fail(key + "_stop", "expected at least " + key + "_start");
  return c;
}

double Coefficient::at(double epoch, double epochs) const {
  if (epoch < start * epochs || epoch > stop * epochs) return 0;
  double u = epoch - start * epochs;
  if (cycle) {
    const double since_turn = std::fmod(u, *cycle);
    u = std::min(since_turn, *cycle - since_turn);
  }
  switch (form) {
    case Form::linear:
      return value + rate * u;
    case Form::exponential:
      return value * std::exp(rate * u);
    case Form::constant:
      break;
  }
  return value;
}

}  // namespace lrid::rules
