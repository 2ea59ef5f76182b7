// The comparison, and the search for the step of the first difference.
#include "cli/backend_comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <vector>

#include "campaign/campaign.hpp"
#include "cli/random_cell.hpp"
#include "cli/trial_difference.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {
namespace {

BlockResult run_trials(Backend& backend, const CellPlan& plan, std::int64_t first, std::int64_t count, int worker) {
    WorkStatus status;
    std::optional<BlockResult> result = backend.run({&plan, first, count, worker}, status, {.checks = true, .states = true});
    if (!result) throw Defect("the backend abandoned a block without being asked to");
    const auto trials = static_cast<std::size_t>(count);
    if (result->records.size() != trials || result->checks.size() != trials || result->states.size() != trials)
        throw Defect(fmt::format("{}: asked for {} trials, returned {} records, {} trajectories, {} states", backend.description(), count,
                                 result->records.size(), result->checks.size(), result->states.size()));
    return std::move(*result);
}

/// A trial's parameters and optimizer states after `steps` steps.
FinalState state_after(std::int64_t steps, const CellConfig& cell, std::int64_t trial, Backend& backend, int worker) {
    CellConfig shortened = cell;
    shortened.steps = steps;
    shortened.checks = shortened.tail = 1;
    shortened.stop = {};
    return run_trials(backend, CellPlan(shortened), trial, 1, worker).states.front();
}

/// Two backends, and the trial at which they differ.
struct Disagreement {
    const CellConfig& cell;
    std::int64_t trial;
    Backend &expected, &found;
    int worker;

    std::string at(std::int64_t steps) const {
        return state_difference(state_after(steps, cell, trial, found, worker), state_after(steps, cell, trial, expected, 0));
    }
    std::string state_difference(const FinalState& now, const FinalState& right) const {
        return cli::state_difference(now, found.description().c_str(), right, expected.description().c_str(), cell.width,
                                     cell.input.dimension);
    }
    /// The step after which the states differ first, and how. They differ after the last one.
    std::string first_step() const {
        std::string difference = at(cell.steps);
        if (difference.empty() && cell.stop.any()) return "no step: without `stop` they agree, so the trial ends at different checks";
        if (difference.empty()) return "no step: a run with a single check agrees, so the checks change the training";
        std::int64_t agrees = 0, differs = cell.steps;
        while (differs - agrees > 1) {
            const std::int64_t middle = agrees + (differs - agrees) / 2;
            if (std::string text = at(middle); text.empty()) {
                agrees = middle;
            } else {
                differs = middle;
                difference = std::move(text);
            }
        }
        return fmt::format("step {} of {}: {}", differs, cell.steps, difference);
    }
};

std::string trajectory_difference(const std::vector<CheckRecord>& now, const std::vector<CheckRecord>& right, const std::string& now_name,
                                  const std::string& right_name) {
    if (now.size() != right.size()) return fmt::format("{} has {} checks, {} has {}", now_name, now.size(), right_name, right.size());
    for (std::size_t k = 0; k < now.size(); ++k) {
        const std::string text = check_difference(now[k], now_name.c_str(), right[k], right_name.c_str());
        if (!text.empty()) return fmt::format("step {}: {}", right[k].step, text);
    }
    return "";
}

/// Cells of the self test whose programs are compiled side by side, before the first of them runs.
constexpr std::int64_t prepared_at_once = 32;

struct PreparedCell {
    RandomCell random;
    CellConfig config;
};

/// The random cells first, first + 1, ..., ready to run on `backend`.
std::deque<PreparedCell> prepare_cells(std::int64_t first, std::int64_t count, std::uint64_t seed, Backend& backend) {
    std::deque<PreparedCell> cells;
    std::vector<CellConfig> configs;
    for (std::int64_t index = first; index < first + count; ++index) {
        const RandomCell random = random_cell(seed, index, false);
        configs.push_back(parse_campaign(random.toml, fmt::format("self test cell {}", index)).cells.at(0));
        cells.push_back({random, configs.back()});
    }
    backend.prepare(configs);
    return cells;
}

}  // namespace

std::string backend_difference(const CellConfig& cell, std::int64_t trials, Backend& expected, Backend& found, int worker) {
    const CellPlan plan(cell);
    const BlockResult right = run_trials(expected, plan, 0, trials, 0), now = run_trials(found, plan, 0, trials, worker);
    const std::string right_name = expected.description(), now_name = found.description();
    for (std::size_t trial = 0; trial < right.records.size(); ++trial) {
        const Disagreement disagreement{cell, static_cast<std::int64_t>(trial), expected, found, worker};
        FinalState now_beginning, right_beginning;
        now_beginning.initial_parameters = now.states[trial].initial_parameters;
        right_beginning.initial_parameters = right.states[trial].initial_parameters;
        std::string text = disagreement.state_difference(now_beginning, right_beginning);
        if (!text.empty()) return fmt::format("trial {}, step 0: {}", trial, text);
        if (!disagreement.state_difference(now.states[trial], right.states[trial]).empty())
            return fmt::format("trial {}, {}", trial, disagreement.first_step());
        text = trajectory_difference(now.checks[trial], right.checks[trial], now_name, right_name);
        if (text.empty()) {
            text = record_difference(now.records[trial], now_name.c_str(), right.records[trial], right_name.c_str());
            if (!text.empty()) text.insert(0, "its record: ");
        }
        if (!text.empty()) return fmt::format("trial {}, same parameters and states; {}", trial, text);
    }
    return "";
}

ComparisonTally compare_backends(std::int64_t cells, std::uint64_t seed, Backend& expected, Backend& found) {
    ComparisonTally tally;
    std::deque<PreparedCell> prepared;
    for (; tally.cells < cells; ++tally.cells) {
        if (prepared.empty()) prepared = prepare_cells(tally.cells, std::min(cells - tally.cells, prepared_at_once), seed, found);
        const auto [random, config] = std::move(prepared.front());
        prepared.pop_front();
        for (int worker = 0; worker < found.concurrency(); ++worker) {
            const std::string text = backend_difference(config, random.trials, expected, found, worker);
            if (!text.empty())
                throw Defect(
                    fmt::format("self test, {}, cell {}, {}\nThe cell:\n{}", found.worker_name(worker), tally.cells, text, random.toml));
            ++tally.comparisons;
        }
        tally.trials += random.trials;
    }
    return tally;
}

}  // namespace limrisk::cli
