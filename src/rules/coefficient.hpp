#pragma once

#include <optional>
#include <string>

#include <lrid/core/options.hpp>

namespace lrid::rules {

/// A coefficient of a layer-wise loss, which may change along the run (tasks.md, "Coefficient schedule").
/// With u the epochs since start·(length of the run), or, with a cycle of c epochs, a triangle that rises
/// from 0 to c/2 and falls back to 0 again and again:
///
///     constant      value
///     linear        value + rate·u
///     exponential   value·exp(rate·u)
///
/// and 0 outside [start, stop]·(length of the run).
struct Coefficient {
  enum class Form { constant, linear, exponential };
  double value = 0;
  Form form = Form::constant;
  double rate = 0;                ///< per epoch
  double start = 0, stop = 1;     ///< shares of the run
  std::optional<double> cycle{};  ///< epochs

  /// Declares [rule] `name`, `name`_form, _rate, _start, _stop and _cycle. `weighs`: what it weighs, for
  /// help.
  static Coefficient declare(Options& options, const std::string& name, double value,
                             const std::string& weighs);

  /// After `epoch` epochs of a run of `epochs`.
  [[nodiscard]] double at(double epoch, double epochs) const;
};

}  // namespace lrid::rules
