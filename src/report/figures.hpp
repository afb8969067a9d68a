#pragma once

#include <optional>
#include <string>

#include "exhibit.hpp"
#include "view.hpp"

namespace lrid::report {

// One function per figure or table; nothing where the results lack the data.

std::optional<Exhibit> accuracy_figure(const View& view);
std::optional<Exhibit> question_figure(const View& view);
std::optional<Exhibit> network_figure(const View& view);
std::optional<Exhibit> split_figure(const View& view);
std::optional<Exhibit> held_out_figure(const View& view);
std::optional<Exhibit> control_figure(const View& view);
std::optional<Exhibit> position_figure(const View& view);
std::optional<Exhibit> within_position_figure(const View& view);
std::optional<Exhibit> portion_figure(const View& view);
std::optional<Exhibit> portion_map_figure(const View& view);
std::optional<Exhibit> imperfection_figure(const View& view);
std::optional<Exhibit> confusion_figure(const View& view);
std::optional<Exhibit> transfer_figure(const View& view);
std::optional<Exhibit> pair_figure(const View& view);
std::optional<Exhibit> reliability_figure(const View& view);
std::optional<Exhibit> novelty_figure(const View& view);
std::optional<Exhibit> refusal_table(const View& view);
/// Sets of classes, and their calibration, for kinds left out of training.
std::optional<Exhibit> left_out_set_figure(const View& view);
/// Everything that is known of how kinds left out were judged.
std::optional<Exhibit> left_out_table(const View& view);
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
/// Rows compared over the networks that both test.
std::optional<Exhibit> comparison_table(const View& view);
/// Every row with its numbers.
std::optional<Exhibit> all_rows_table(const View& view);

}  // namespace lrid::report
