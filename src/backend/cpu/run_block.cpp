// Cuts a block into chunks of trials and runs them one after the other with the kernels of one instruction set.
#include "backend/cpu/run_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "backend/block_checkpoint.hpp"
#include "backend/trial_checks.hpp"
#include "certificate/limit_certificate.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cpu {
namespace {

/// Memory aligned for the widest registers.
class ArenaMemory {
public:
    ArenaMemory() = default;
    ~ArenaMemory() { ::operator delete(start_, alignment); }
    ArenaMemory(const ArenaMemory&) = delete;
    ArenaMemory& operator=(const ArenaMemory&) = delete;
    /// At least so many bytes; what they hold is lost.
    char* of(std::size_t bytes) {
        if (bytes <= bytes_) return start_;
        ::operator delete(start_, alignment);
        start_ = nullptr;
        start_ = static_cast<char*>(::operator new(bytes, alignment));
        bytes_ = bytes;
        return start_;
    }

private:
    static constexpr std::align_val_t alignment{64};
    char* start_ = nullptr;
    std::size_t bytes_ = 0;
};

/// What ChunkTraining writes.
class ChunkFormat final : public ProgressFormat {
public:
    ChunkFormat(const KernelTable& kernels, const kernels::Cell& cell) : kernels_(kernels), cell_(cell) {}

    std::int64_t number() const override { return chunk_format; }
    std::int64_t bytes(std::int64_t trials) const override { return kernels_.checkpoint_bytes(cell_, trials); }
    std::string problem_of(std::int64_t trials, const char* progress, std::int64_t count) const override {
        return kernels_.checkpoint_fits(cell_, trials, progress, count) ? "" : foreign_checkpoint;
    }

private:
    const KernelTable& kernels_;
    const kernels::Cell& cell_;
};

/// Lets a chunk write checkpoints.
void watch(ChunkTask& task, BlockCheckpoints& checkpoints, std::int64_t done) {
    task.context = &checkpoints;
    task.advance = [](void* self, std::int64_t steps) { return static_cast<BlockCheckpoints*>(self)->advance(steps); };
    checkpoints.begin({done, task.trials});
    if (!checkpoints.writes()) return;
    task.next_round = [](void* self, std::int64_t steps, bool& write) {
        auto& kept = *static_cast<BlockCheckpoints*>(self);
        write = kept.due();
        return kept.next_round(steps);
    };
    task.write = [](void* self, const void* bytes, std::size_t count) { static_cast<BlockCheckpoints*>(self)->append(bytes, count); };
}

bool is_proved(const kernels::Cell& cell, const double* parameters, std::int64_t step) {
    const double* const first_state = parameters + kernels::parameter_count(cell);
    return certificate::certify_limit(cell, parameters, first_state, step).outcome == certificate::LimitOutcome::Proved;
}

void require_ascending(const std::vector<std::int64_t>* snapshot_steps, std::int64_t steps) {
    std::int64_t before = -1;
    for (std::size_t i = 0; snapshot_steps && i < snapshot_steps->size(); ++i) {
        const std::int64_t step = (*snapshot_steps)[i];
        if (step <= before || step > steps)
            throw Defect(fmt::format("snapshot step {} after {}, in a cell of {} steps: not ascending", step, before, steps));
        before = step;
    }
}

}  // namespace

std::int64_t checkpoint_bytes(const KernelTable& kernels, const kernels::Cell& cell, std::int64_t trials, const KeptParameters& keep) {
    const ChunkFormat format(kernels, cell);
    std::int64_t most = 0;
    for (BlockPlace place; place.done < trials; place.done += place.trials) {
        place.trials = kernels.chunk_trials(cell, trials - place.done);
        most = std::max(most, limrisk::checkpoint_bytes(cell, keep, format, place));
    }
    return most;
}

std::optional<BlockResult> run_block(const KernelTable& kernels, const WorkItem& item, WorkStatus& status, const BlockOptions& options) {
    const kernels::Cell& cell = item.plan->cell();
    const auto count = static_cast<std::size_t>(item.count);
    const auto checks = static_cast<std::size_t>(cell.checks) + 1;
    const auto parameters = static_cast<std::size_t>(kernels::parameter_count(cell));
    std::vector<CheckRecord> check_records(options.checks ? count * checks : 0);
    std::vector<double> states[kernels::most_states];
    if (options.states)
        for (std::vector<double>& state : states) state.assign(count * parameters, 0.0);
    BlockResult result;
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (options.states || options.parameters.kinds[kind]) result.parameters[kind].assign(count * parameters, 0.0);
    auto& [initial_parameters, final_parameters, best_parameters, average_parameters] = result.parameters;
    result.records.resize(count);
    const std::size_t snapshots = options.snapshot_steps ? options.snapshot_steps->size() : 0;
    require_ascending(options.snapshot_steps, cell.steps);
    result.snapshot_checks.resize(count * snapshots);
    result.snapshot_parameters.resize(count * snapshots * parameters);

    ArenaMemory arena;
    const ChunkFormat format(kernels, cell);
    BlockCheckpoints checkpoints(format, item, status, options, result);
    const char* chunk = nullptr;
    const BlockPlace begin = checkpoints.resume(chunk);
    if (chunk) checkpoints.take_results(begin);
    std::size_t trials;
    for (auto first = static_cast<std::size_t>(begin.done); first < count; first += trials) {
        // The chunk of a checkpoint has the size that it had.
        trials = static_cast<std::size_t>(chunk ? begin.trials : kernels.chunk_trials(cell, static_cast<std::int64_t>(count - first)));
        ChunkTask task{};
        task.checkpoint = std::exchange(chunk, nullptr);
        task.cell = &cell;
        task.first_trial = item.first_trial + static_cast<std::int64_t>(first);
        task.trials = static_cast<std::int64_t>(trials);
        const CellPlan::Starts starts = item.plan->starts(task.first_trial, task.trials);
        task.start = starts.first;
        task.start_stride = starts.stride;
        task.arena = arena.of(kernels.arena_bytes(cell, task.trials));
        task.records = result.records.data() + first;
        if (options.checks) task.checks = check_records.data() + first * checks;
        const auto part = [&](std::vector<double>& all) { return all.empty() ? nullptr : all.data() + first * parameters; };
        task.initial_parameters = part(initial_parameters);
        task.parameters = part(final_parameters);
        task.best_parameters = part(best_parameters);
        task.average_parameters = part(average_parameters);
        task.first_state = part(states[0]);
        task.second_state = part(states[1]);
        task.third_state = part(states[2]);
        if (snapshots > 0) {
            task.snapshot_steps = options.snapshot_steps->data();
            task.snapshot_count = static_cast<std::int64_t>(snapshots);
            task.snapshot_checks = result.snapshot_checks.data() + first * snapshots;
            task.snapshot_parameters = result.snapshot_parameters.data() + first * snapshots * parameters;
        }
        task.is_proved = is_proved;
        watch(task, checkpoints, static_cast<std::int64_t>(first));
        if (!kernels.run_chunk(task)) return std::nullopt;
    }

    for (std::size_t i = 0; options.checks && i < count; ++i)
        result.checks.push_back(checks_of_trial(cell, result.records[i], check_records.data() + i * checks));
    const auto slice = [&](const std::vector<double>& all, std::size_t i) {
        return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(i * parameters),
                                   all.begin() + static_cast<std::ptrdiff_t>((i + 1) * parameters));
    };
    for (std::size_t i = 0; options.states && i < count; ++i)
        result.states.push_back({slice(initial_parameters, i), slice(final_parameters, i), slice(states[0], i), slice(states[1], i),
                                 slice(states[2], i), slice(best_parameters, i), slice(average_parameters, i)});
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (!options.parameters.kinds[kind]) result.parameters[kind] = {};
    return result;
}

}  // namespace limrisk::cpu
