#pragma once

#include <optional>
#include <string>

#include "view.hpp"

namespace lrid::report {

/// One figure or table of the page. `caption` is plain text (escaped by the page): what to see, then how to
/// read it. `finding` is what to see in one sentence, for the summary at the top; may be empty.
struct Exhibit {
  std::string title;
  std::string html;
  std::string finding{};
  std::string caption{};
};

/// One function per figure; nothing where the source lacks the data.
std::optional<Exhibit> accuracy_figure(const View& view);
std::optional<Exhibit> split_figure(const View& view);
std::optional<Exhibit> held_out_figure(const View& view);
std::optional<Exhibit> control_figure(const View& view);
std::optional<Exhibit> position_figure(const View& view);
std::optional<Exhibit> within_position_figure(const View& view);
std::optional<Exhibit> portion_figure(const View& view);
std::optional<Exhibit> imperfection_figure(const View& view);
std::optional<Exhibit> confusion_figure(const View& view);
std::optional<Exhibit> transfer_figure(const View& view);
std::optional<Exhibit> pair_figure(const View& view);
std::optional<Exhibit> network_figure(const View& view);
std::optional<Exhibit> reliability_figure(const View& view);
std::optional<Exhibit> novelty_figure(const View& view);
std::optional<Exhibit> learning_curve_figure(const View& view);
std::optional<Exhibit> matched_figure(const View& view);
std::optional<Exhibit> target_figure(const View& view);
std::optional<Exhibit> observable_group_figure(const View& view);
std::optional<Exhibit> importance_figure(const View& view);
std::optional<Exhibit> permutation_figure(const View& view);
std::optional<Exhibit> trajectory_figure(const View& view);
std::optional<Exhibit> dprime_table(const View& view);
std::optional<Exhibit> hyperparameter_table(const View& view);
std::optional<Exhibit> extra_table(const View& view);

/// Every row with its numbers.
std::string all_rows_table(const View& view);

}  // namespace lrid::report
