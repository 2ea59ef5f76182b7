// The table of cells with their cost.
#include "cli/dry_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "analysis/cell_axes.hpp"
#include "campaign/optional_columns.hpp"
#include "cli/campaign_options.hpp"
#include "cli/store_space.hpp"
#include "driver/calibration.hpp"
#include "driver/cost_model.hpp"
#include "driver/progress.hpp"
#include "report/text_table.hpp"
#include "store/parameter_columns.hpp"
#include "store/size_estimate.hpp"
#include "text/printable_text.hpp"

namespace limrisk::cli {
namespace {

constexpr double calibration_seconds = 0.5;  ///< for all cells together, as long as that leaves each a few milliseconds
constexpr std::size_t calibrated_cells = 200;
constexpr std::size_t table_width = 100, longest_value = 32;  ///< characters

struct CellPrediction {
    const CellConfig* cell;
    std::int64_t trials;
    kernels::TileShape tile;
    std::int64_t block_trials;
    double table_bytes, thread_bytes;  ///< tables of the plan; working memory of each thread, estimated
    double seconds;                    ///< of all trials on one worker
    double searching_seconds;          ///< that all searches for a rate but the first may take beside, at most
    double batch_seconds;              ///< of what a worker computes at once: a block, on GPUs several
    std::int64_t checkpoint_bytes;     ///< of it, the most; 0: not known
    std::int64_t trials_to_fill;       ///< that run at the same time; 0: any number is as good
    std::vector<std::string> plan_lines;
};

double table_bytes(const kernels::Cell& cell) {
    const auto nodes = cell.check_nodes.count + cell.final_nodes.count + cell.training_nodes_float.count +
                       cell.training_nodes_double.count + cell.validation_nodes.count;
    return 8.0 * (static_cast<double>(nodes) * static_cast<double>(cell.dimension + 2) + static_cast<double>(cell.mesh_count));
}

/// Of each group that trains side by side parameters, gradient sums, two optimizer states, best, first-of-tail and evaluation copies of 32
/// lanes, and of sorted kinks two running sums over the nodes for every replica; the records of the block.
double thread_bytes(const kernels::Cell& cell, std::int64_t block_trials) {
    const double slots = 32.0 * cell.tile.neurons_per_lane * static_cast<double>(cell.dimension + 2);
    const double sums = cell.algorithm == kernels::Algorithm::Kinks ? 2.0 * 8 * cpu_group_trials * static_cast<double>(cell.batch + 1) : 0;
    const double group = slots * (5 * 4 + 4 * 8) + sums, of_block = std::ceil(static_cast<double>(block_trials) / cpu_group_trials);
    // As kernels/chunk_training.hpp: up to 16 groups in 32 MiB.
    const double groups = std::clamp(std::floor(0x1p25 / group), 1.0, std::min(16.0, of_block));
    return groups * group + static_cast<double>(block_trials) * sizeof(TrialRecord);
}

std::vector<CellPrediction> predict(const Campaign& campaign, Backend& backend) {
    const std::size_t count = campaign.cells.size();
    const double budget = std::max(0.002, calibration_seconds / static_cast<double>(std::max<std::size_t>(count, 1)));
    std::vector<CellPrediction> predictions;
    double seconds_per_cost = 0;
    for (const CellConfig& cell : campaign.cells) {
        const CellPlan plan(cell);
        double trial_seconds = seconds_per_cost * trial_cost(cell);
        if (predictions.size() < calibrated_cells) {
            trial_seconds = measured_trial_seconds(cell, backend, budget);
            seconds_per_cost = trial_seconds / trial_cost(cell);
        }
        // Kept parameters as the backend gives them, in double, and as the store takes them.
        const std::int64_t block_trials = kept_block_trials(cell, campaign.keep, plan.block_trials());
        const double kept = static_cast<double>(block_trials) * static_cast<double>(kept_trial_bytes(cell, campaign.keep)) *
                            (1 + 8.0 / static_cast<double>(parameter_size(cell)));
        const double searching =
            trial_seconds * static_cast<double>(std::max<std::int64_t>(0, most_searches(cell) - 1)) * search_cost(cell) / trial_cost(cell);
        const std::int64_t wanted = campaign.trials_of(predictions.size());
        const std::int64_t batch = std::min(wanted, backend.needs_full_batches() ? backend.batch_trials(plan) : block_trials);
        const double trials = static_cast<double>(wanted);
        predictions.push_back({&cell, wanted, plan.cell().tile, plan.block_trials(), table_bytes(plan.cell()),
                               thread_bytes(plan.cell(), plan.block_trials()) + kept, trial_seconds * trials, searching * trials,
                               (trial_seconds + searching) * static_cast<double>(batch),
                               backend.writes_checkpoints() ? backend.checkpoint_bytes(plan, batch, campaign.keep) : 0,
                               backend.trials_to_fill(plan), backend.plan_lines(plan)});
    }
    return predictions;
}

struct Totals {
    double replica_steps = 0, sample_neurons = 0, seconds = 0, searching_seconds = 0, bytes = 0;
};

Totals total(const std::vector<CellPrediction>& predictions, const Backend& backend) {
    Totals sum;
    for (const CellPrediction& prediction : predictions) {
        const auto trials = static_cast<double>(prediction.trials);
        sum.replica_steps += trials * replica_steps(*prediction.cell);
        sum.sample_neurons += trials * sample_neurons(*prediction.cell);
        sum.seconds += prediction.seconds / parallel_speed(backend);
        sum.searching_seconds += prediction.searching_seconds / parallel_speed(backend);
        sum.bytes = std::max(sum.bytes, prediction.table_bytes + backend.concurrency() * prediction.thread_bytes);
    }
    return sum;
}

std::string measured_how(const Backend& backend) {
    if (backend.needs_full_batches()) return "each cell's speed measured just now on full devices, all at once";
    return fmt::format("each cell's speed measured just now on one thread; {} taken as {:.3g} times as fast",
                       backend.concurrency() == 1 ? "1 thread" : fmt::format("{} threads", backend.concurrency()), parallel_speed(backend));
}

/// A column for each parameter in which cells differ, as `limrisk summary` names them; long values are cut unless cells would look the
/// same.
std::vector<TextColumn> parameter_columns(const Campaign& campaign) {
    const CellAxes axes = axes_of(campaign.cells);
    std::vector<TextColumn> columns;
    for (std::size_t axis = 0; !axes.empty() && axis < axes.front().size(); ++axis) {
        std::set<std::string> whole, brief;
        TextColumn column{"", axes.front()[axis].name, 0, !axes.front()[axis].key->parameter.is_integer()};
        for (const auto& cell : axes) {
            const std::string value = printable_text(cell[axis].value);
            column.cells.push_back(value.empty() ? "-" : shortened(value, longest_value));
            whole.insert(value);
            brief.insert(column.cells.back());
        }
        if (brief.size() < whole.size())
            for (std::size_t k = 0; k < axes.size(); ++k) column.cells[k] = printable_text(axes[k][axis].value);
        if (whole.size() > 1) columns.push_back(std::move(column));
    }
    return columns;
}

bool any_searches(const Campaign& campaign) {
    return std::ranges::any_of(campaign.cells, [](const CellConfig& cell) { return cell.learning_rate.searches(); });
}

const std::chrono::duration<double> checkpoint_interval = Checkpointing{}.interval;

bool takes_long(const CellPrediction& prediction) { return prediction.batch_seconds > checkpoint_interval.count(); }
bool is_kept(const CellPrediction& prediction) { return takes_long(prediction) && prediction.checkpoint_bytes <= most_checkpoint_bytes; }

std::string workers_text(const Backend& backend) {
    const int count = backend.concurrency();
    return fmt::format("{} {}{}", count, backend.needs_full_batches() ? "worker" : "thread", count == 1 ? "" : "s");
}

/// Of what no result depends on, but how much is lost with a kill.
std::string checkpoint_text(const std::vector<CellPrediction>& predictions, const Backend& backend) {
    if (!backend.writes_checkpoints()) return "checkpoints     none with this backend: blocks in progress are lost with a kill\n";
    const char* const unit = backend.needs_full_batches() ? "batch" : "block";
    double longest = 0, longest_without = 0;
    std::int64_t kept = 0, without = 0, bytes = 0, bytes_without = 0;
    for (const CellPrediction& prediction : predictions) {
        if (!takes_long(prediction)) continue;
        const bool one = is_kept(prediction);
        ++(one ? kept : without);
        double& seconds = one ? longest : longest_without;
        seconds = std::max(seconds, prediction.batch_seconds);
        std::int64_t& most = one ? bytes : bytes_without;
        most = std::max(most, prediction.checkpoint_bytes);
    }
    const auto cells = [](std::int64_t count) { return fmt::format("{} cell{}", count, count == 1 ? "" : "s"); };
    std::string text;
    if (kept > 0)
        text = fmt::format(
            "checkpoints     every {} of each {} in progress of {}, which takes up to {}: up to {}, for each of {} in the store\n",
            duration_text(checkpoint_interval.count()), unit, cells(kept), duration_text(longest), bytes_text(static_cast<double>(bytes)),
            workers_text(backend));
    if (without > 0)
        text += fmt::format("{}none of {} whose {} takes up to {}: they would have up to {}, and {} is the most; a kill costs a whole {}\n",
                            text.empty() ? "checkpoints     " : "                ", cells(without), unit, duration_text(longest_without),
                            bytes_text(static_cast<double>(bytes_without)), bytes_text(static_cast<double>(most_checkpoint_bytes)), unit);
    return text.empty() ? fmt::format("checkpoints     none: no {} takes {}\n", unit, duration_text(checkpoint_interval.count())) : text;
}

std::string as_text(const Campaign& campaign, const std::vector<CellPrediction>& predictions, const Backend& backend,
                    const StoreSpace& space) {
    std::string text = fmt::format("{}; {}\n", size_text(campaign), backend.description());
    if (campaign.until && campaign.until->is_shared())
        text += fmt::format("trials: {}; work and time below are those of equal shares\n", campaign.until->text());
    else if (campaign.until)
        text += fmt::format("each cell runs {}{}; work and time below are those of all\n", campaign.until->text(),
                            campaign.until->until == StoppingCriterion::Until::Events ? "" : ", judged after every block");
    if (ends_early(campaign.cells))
        text += "trials may end early (`stop`); work and time below are for trials that all run to the last step\n";
    text += wrapped(common_phrases(campaign.cells), table_width);
    std::vector<TextColumn> columns{{"", "cell"}};
    for (TextColumn& column : parameter_columns(campaign)) columns.push_back(std::move(column));
    const std::size_t own = columns.size();
    for (const char* head : {"tile", "block", "memory", "time"}) columns.push_back({"", head});
    if (have_validation(campaign.cells)) columns.push_back({"", "validation"});
    for (const CellPrediction& prediction : predictions) {
        if (have_validation(campaign.cells))
            columns.back().cells.push_back(prediction.cell->has_validation() ? std::to_string(prediction.cell->data->validation->count)
                                                                             : "-");
        columns[0].cells.push_back(std::to_string(prediction.cell->index));
        columns[own].cells.push_back(fmt::format("{}x{}", prediction.tile.lanes, prediction.tile.neurons_per_lane));
        columns[own + 1].cells.push_back(std::to_string(prediction.block_trials));
        columns[own + 2].cells.push_back(bytes_text(prediction.table_bytes + backend.concurrency() * prediction.thread_bytes));
        columns[own + 3].cells.push_back(duration_text(prediction.seconds / parallel_speed(backend)));
    }
    text += TextTable(std::move(columns), table_width).text() + '\n';
    for (const CellPrediction& prediction : predictions) {
        for (const std::string& line : prediction.plan_lines) text += fmt::format("cell {}: {}\n", prediction.cell->index, line);
        const std::string filling = filling_text(prediction.trials, prediction.trials_to_fill);
        if (!filling.empty()) text += fmt::format("cell {}: {}\n", prediction.cell->index, filling);
    }
    const Totals sum = total(predictions, backend);
    text += fmt::format("work            {}{} replica-steps, {} sample-neurons\n", ends_early(campaign.cells) ? "at most " : "",
                        speed_text(sum.replica_steps), speed_text(sum.sample_neurons));
    text += fmt::format("memory          about {}, the largest cell's tables and working memory\n", bytes_text(sum.bytes));
    text += fmt::format("predicted time  {}{} ({})\n", ends_early(campaign.cells) ? "at most " : "", duration_text(sum.seconds),
                        measured_how(backend));
    if (any_searches(campaign))
        text +=
            fmt::format("searches        of rates: the first of each trial is in the time above; with the most that can follow it is {}\n",
                        duration_text(sum.seconds + sum.searching_seconds));
    text += checkpoint_text(predictions, backend);
    text += fmt::format("store           {}\n", space_text(space));
    if (campaign.keep.any())
        text += fmt::format("parameters      about {} of it, keep = {}\n", bytes_text(estimated_parameter_bytes(campaign)),
                            campaign.keep.text());
    if (!space.fits()) text += fmt::format("WARNING         {}\n", space_warning(space));
    text += "tile: lanes x neurons per lane of a replica; block: trials that are stored together\n";
    if (have_validation(campaign.cells)) text += "validation: data points that are held out of the training\n";
    return text;
}

std::string as_json(const Campaign& campaign, const std::vector<CellPrediction>& predictions, const Backend& backend,
                    const StoreSpace& space) {
    using nlohmann::ordered_json;
    const int threads = backend.concurrency();
    ordered_json cells = ordered_json::array();
    for (const CellPrediction& prediction : predictions) {
        const CellConfig& cell = *prediction.cell;
        cells.push_back({{"cell", cell.index},
                         {"id", cell.id},
                         {"description", ordered_json::parse(cell.description)},
                         {"tile", {{"lanes", prediction.tile.lanes}, {"neurons_per_lane", prediction.tile.neurons_per_lane}}},
                         {"block_trials", prediction.block_trials},
                         {"memory_bytes", std::llround(prediction.table_bytes + threads * prediction.thread_bytes)},
                         {"replica_steps", static_cast<double>(prediction.trials) * replica_steps(cell)},
                         {"sample_neurons", static_cast<double>(prediction.trials) * sample_neurons(cell)},
                         {"predicted_seconds", prediction.seconds / parallel_speed(backend)},
                         {"plan", prediction.plan_lines}});
        if (prediction.trials_to_fill > 0) cells.back()["trials_to_fill"] = prediction.trials_to_fill;
        if (cell.learning_rate.searches()) {
            cells.back()["most_searches"] = most_searches(cell);
            cells.back()["predicted_seconds_with_most_searches"] =
                (prediction.seconds + prediction.searching_seconds) / parallel_speed(backend);
        }
        cells.back()["batch_seconds"] = prediction.batch_seconds;
        cells.back()["checkpoint_bytes"] = is_kept(prediction) ? ordered_json(prediction.checkpoint_bytes) : ordered_json();
    }
    const Totals sum = total(predictions, backend);
    ordered_json report{{"campaign", campaign.name},          {"trials_per_cell", campaign.trials},
                        {"backend", backend.description()},   {"memory_bytes", std::llround(sum.bytes)},
                        {"replica_steps", sum.replica_steps}, {"sample_neurons", sum.sample_neurons},
                        {"predicted_seconds", sum.seconds},   {"cells", cells}};
    if (any_searches(campaign)) report["predicted_seconds_with_most_searches"] = sum.seconds + sum.searching_seconds;
    if (ends_early(campaign.cells)) report["at_most"] = true;
    if (campaign.until) report["until"] = ordered_json::parse(describe(*campaign.until));
    report["store"] = {{"path", space.store.string()},
                       {"bytes", std::llround(space.bytes)},
                       {"bytes_there", std::llround(space.there)},
                       {"bytes_free", space.free >= 0 ? ordered_json(std::llround(space.free)) : ordered_json()},
                       {"fits", space.fits()}};
    if (campaign.keep.any()) report["store"]["parameter_bytes"] = std::llround(estimated_parameter_bytes(campaign));
    return report.dump(2) + "\n";
}

}  // namespace

std::string filling_text(std::int64_t trials, std::int64_t trials_to_fill) {
    if (trials >= trials_to_fill) return "";
    return fmt::format("fills {:.3g} % of the devices: {} of {} trials that run at the same time; {} more would take hardly longer",
                       100 * static_cast<double>(trials) / static_cast<double>(trials_to_fill), trials, trials_to_fill,
                       trials_to_fill - trials);
}

std::string dry_run_report(const Campaign& campaign, Backend& backend, const std::filesystem::path& store, bool json) {
    const StoreSpace space = store_space(campaign, store);
    const std::vector<CellPrediction> predictions = predict(campaign, backend);
    return json ? as_json(campaign, predictions, backend, space) : as_text(campaign, predictions, backend, space);
}

}  // namespace limrisk::cli
