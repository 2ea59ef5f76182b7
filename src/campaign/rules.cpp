// What follows from other keys.
#include "campaign/rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "campaign/cell_description.hpp"
#include "campaign/rule_numbers.hpp"
#include "campaign/teacher.hpp"
#include "limrisk/error.hpp"

namespace limrisk::rules {

/// Throws ConfigError with what is wrong with the points.
void complete_data(CellConfig& cell) {
    if (!cell.has_data() || !cell.data->to_draw || cell.data->per_trial) return;
    complete_target(cell);
    complete_box(cell);
    CellConfig labelled = cell;
    labelled.data = nullptr;
    fill_labels(labelled);
    std::string origin = fmt::format("{}, {}", cell.target_label(), labelled.input_label);
    if (cell.noise.kind != NoiseLaw::Kind::None) origin += ", noise " + labelled.noise_label;
    set_data(cell, draw_data(cell, fmt::format("{}, seed {}", origin, cell.data->draw_seed)));
    if (const std::string wrong = data(cell); !wrong.empty()) throw ConfigError({wrong});
}

void complete_target(CellConfig& cell) {
    if (cell.has_data() && !cell.data->to_draw) cell.teacher = nullptr;
    if (cell.teacher != nullptr && cell.target.empty()) cell.target = teacher_text(*cell.teacher, cell.input.dimension);
}

void complete_box(CellConfig& cell) {
    InputLaw& law = cell.input;
    if (!law.bounded) {
        law.low = InputLaw{}.low;
        law.high = InputLaw{}.high;
        return;
    }
    if (law.lows.empty() && law.highs.empty()) return;
    const auto d = static_cast<std::size_t>(law.dimension);
    if (law.lows.empty()) law.lows.assign(d, law.low);
    if (law.highs.empty()) law.highs.assign(d, law.high);
    const auto alike = [](const std::vector<double>& ends) {
        return std::all_of(ends.begin(), ends.end(), [&](double end) { return end == ends.front(); });
    };
    // One law has one description.
    const bool is_cube = alike(law.lows) && alike(law.highs);
    law.low = is_cube ? law.lows.front() : std::numeric_limits<double>::quiet_NaN();
    law.high = is_cube ? law.highs.front() : std::numeric_limits<double>::quiet_NaN();
    if (is_cube) law.lows.clear(), law.highs.clear();
}

void complete_sampling(CellConfig& cell) {
    if (cell.sampling == Sampling::Usual && !cell.has_training_grid())
        cell.sampling = cell.has_data() ? Sampling::FullBatch : Sampling::Fresh;
}

void complete_batch(CellConfig& cell) {
    if (cell.has_data() && cell.has_full_batch()) cell.batch = cell.data->count;
    if (cell.has_training_grid()) cell.batch = grid_size(cell.nodes_per_axis, cell.input.dimension);
}

void complete_sums(CellConfig& cell) {
    if (!cell.has_large_batch()) cell.sums = kernels::Sums::Running;
}

void complete_checks(CellConfig& cell) {
    if (cell.checks == 0) cell.checks = static_cast<std::int32_t>(std::min<std::int64_t>(64, cell.steps));
}

/// A decay of 0 is one cell, however it would be applied.
void complete_optimizer(CellConfig& cell) {
    if (cell.optimizer.weight_decay == 0) cell.optimizer.decoupled = false;
}

void complete_tail(CellConfig& cell) {
    if (cell.tail == 0) cell.tail = std::max(1, cell.checks / 4);
}

void complete_check_nodes(CellConfig& cell) {
    if (cell.has_data()) {
        cell.evaluation = {};
        return;
    }
    if (cell.evaluation.check_nodes == 0) cell.evaluation.check_nodes = cell.input.usual_nodes();
}

void complete_final_nodes(CellConfig& cell) {
    if (!cell.has_final_rule())
        cell.evaluation.final_nodes = 0;
    else if (cell.evaluation.final_nodes == 0)
        cell.evaluation.final_nodes = cell.input.usual_final_nodes();
}

}  // namespace limrisk::rules
