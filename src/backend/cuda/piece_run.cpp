// Two submissions are in flight at any time: while the device works on one, the host prepares the next and looks at the clock.
#include "backend/cuda/piece_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <numeric>
#include <type_traits>
#include <vector>

#include "backend/cuda/launch_pace.hpp"
#include "backend/trial_checks.hpp"
#include "kernels/launch.hpp"
#include "kernels/schedule.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

using kernels::Cell;

/// One kernel of a submission and the point in the stream after it.
struct Launched {
    std::int64_t steps;  ///< 0: a check
    std::unique_ptr<Event> end;
};

/// What is in flight: kernels in their order, and the slot of scalars they read.
struct Submission {
    std::size_t slot;
    std::vector<Launched> launched;
};

/// What a piece in progress begins with; its list of running replicas and its arrays follow.
struct PieceHead {
    std::int64_t next_check, step, running;
    kernels::Schedule schedule;
};
static_assert(std::is_trivially_copyable_v<PieceHead>);

template <class Real>
class PieceRun {
public:
    PieceRun(const PieceTask& task, WorkStatus& status, const BlockOptions& options)
        : task_(task),
          status_(status),
          options_(options),
          cell_(*task.cell),
          device_cell_(*task.device_cell),
          memory_(*task.memory),
          stream_(*task.stream),
          schedule_(cell_.optimizer, cell_.learning_rate),
          pace_(task.launch_seconds),
          scalars_{task.buffers->scalars[0].at_least(scalar_capacity()), task.buffers->scalars[1].at_least(scalar_capacity())},
          running_(task.buffers->running.at_least(2)) {
        if (cell_.own_points == 0) return;
        const auto nodes = [&]<class T>(std::size_t inputs, std::size_t targets, std::size_t weights, kernels::NodeTable<T>& table) {
            table = {at<const T>(inputs), at<const T>(targets), at<const T>(weights), cell_.own_points};
        };
        nodes(memory_.own_inputs, memory_.own_targets, memory_.own_weights, device_cell_.check_nodes);
        nodes(memory_.own_inputs, memory_.own_targets, memory_.own_rounded_weights, device_cell_.training_nodes_double);
        device_cell_.final_nodes = device_cell_.check_nodes;
        if constexpr (sizeof(Real) == 4)
            nodes(memory_.own_float_inputs, memory_.own_float_targets, memory_.own_float_weights, device_cell_.training_nodes_float);
    }

    bool run(BlockResult& result) {
        BlockCheckpoints& checkpoints = *task_.checkpoints;
        checkpoints.begin({task_.done, memory_.replicas});
        if (task_.progress) {
            restore();
        } else {
            begin();
            if (wants(ParameterKind::Initial)) append_network(memory_.theta, options_.states ? initial_ : result.parameters[0]);
            check();
        }
        last_ = stream_.record();
        while (next_check_ <= cell_.checks && !all_ended_) {
            const bool writes = can_write();
            if (writes && checkpoints.due()) {
                while (!in_flight_.empty()) drain();
                if (all_ended_) break;
                write_checkpoint();
            }
            if (!checkpoints.advance(0) || (!writes && status_.pause.load(std::memory_order_relaxed))) {
                stream_.synchronize();
                return false;
            }
            submit();
        }
        while (!in_flight_.empty()) drain();
        status_.replica_steps.fetch_add((cell_.steps - done_) * memory_.replicas, std::memory_order_relaxed);  // those of none
        finish(result);
        return true;
    }

private:
    std::size_t scalar_capacity() const { return static_cast<std::size_t>(std::min(most_scalars, cell_.steps)); }

    template <class T>
    T* at(std::size_t offset) const {
        return offset == PieceMemory::none ? nullptr : reinterpret_cast<T*>(task_.start + offset);
    }

    kernels::Piece<Real> piece(bool running_only) const {
        kernels::Piece<Real> piece{};
        piece.theta = at<Real>(memory_.theta);
        piece.first = at<Real>(memory_.first);
        piece.second = at<Real>(memory_.second);
        piece.third = at<Real>(memory_.third);
        piece.average = at<Real>(memory_.average);
        piece.average_lost = at<Real>(memory_.average_lost);
        piece.best = at<Real>(memory_.best);
        piece.tail_start = at<Real>(memory_.tail_start);
        piece.was_inactive = at<Real>(memory_.was_inactive);
        piece.gradient = at<Real>(memory_.gradient);
        piece.shifted = at<Real>(memory_.shifted);
        piece.totals = at<double>(memory_.totals);
        piece.theta_double = at<double>(memory_.theta_double);
        piece.sums_double = at<double>(memory_.sums_double);
        piece.replicas = at<kernels::Replica>(memory_.books);
        piece.running = at<std::uint8_t>(memory_.running);
        if (running_only) {
            piece.list = at<const std::int32_t>(memory_.lists[list_]);
            piece.list_count = at<const std::int64_t>(memory_.list_counts[list_]);
        }
        piece.count = memory_.replicas;
        piece.lanes = memory_.lanes;
        piece.first_trial = task_.first_trial;
        return piece;
    }

    std::int64_t warps() const {
        const std::int64_t per_warp = kernels::warp_lanes / cell_.tile.lanes;
        return (memory_.replicas + per_warp - 1) / per_warp;
    }

    template <class Arguments>
    void launch(const Kernel& kernel, const KernelPlan& plan, std::int64_t warps, const Arguments& arguments) {
        stream_.launch(kernel, (warps + plan.warps - 1) / plan.warps, plan.threads(), plan.shared_bytes, &arguments);
    }

    const CellKernelPlan& plan() const { return task_.kernels->plan; }

    /// What the pieces before it came to as an aggregate is not in a checkpoint.
    bool can_write() const { return task_.checkpoints->writes() && (task_.done == 0 || !options_.aggregate); }

    /// Hands its state to the checkpoint; nothing is in flight.
    void write_checkpoint() {
        PieceHead head{next_check_, step_, 0, schedule_};
        stream_.copy_to_host(&head.running, at<char>(memory_.list_counts[list_]), sizeof(std::int64_t));
        std::vector<char> bytes;
        const auto append = [&](std::size_t offset, std::size_t count) {
            bytes.resize(count);
            stream_.copy_to_host(bytes.data(), at<char>(offset), count);
            stream_.synchronize();
            task_.checkpoints->append(bytes.data(), count);
        };
        stream_.synchronize();
        task_.checkpoints->append(&head, sizeof(head));
        append(memory_.lists[list_], static_cast<std::size_t>(memory_.replicas) * sizeof(std::int32_t));
        for (const PieceArray& array : carried_arrays(cell_, memory_)) append(array.offset, array.bytes);
    }

    /// The inverse.
    void restore() {
        PieceHead head{0, 0, 0, schedule_};
        std::memcpy(static_cast<void*>(&head), task_.progress, sizeof(head));
        next_check_ = head.next_check;
        step_ = done_ = head.step;
        schedule_ = head.schedule;
        stream_.fill_zero(task_.start, memory_.bytes);
        const char* from = task_.progress + sizeof(head);
        const auto take = [&](std::size_t offset, std::size_t count) {
            stream_.copy_to_device(at<char>(offset), from, count);
            from += count;
        };
        stream_.copy_to_device(at<char>(memory_.list_counts[0]), &head.running, sizeof(std::int64_t));
        take(memory_.lists[0], static_cast<std::size_t>(memory_.replicas) * sizeof(std::int32_t));
        for (const PieceArray& array : carried_arrays(cell_, memory_)) take(array.offset, array.bytes);
        copy_own_points();
        stream_.synchronize();
    }

    /// Draws the points that every trial has for itself, a few MiB at a time.
    void copy_own_points() {
        if (cell_.own_points == 0) return;
        const std::int64_t numbers = cell_.own_points * (cell_.dimension + 2), most = std::max<std::int64_t>(1, (1 << 20) / numbers);
        for (std::int64_t first = 0; first < memory_.replicas; first += most) {
            const std::int64_t count = std::min(most, memory_.replicas - first);
            const CellPlan::OwnPoints points = task_.cell_plan->own_points(task_.first_trial + first, count);
            const auto copy = [&]<class T>(std::size_t offset, const std::vector<T>& values) {
                const std::size_t each = values.size() / static_cast<std::size_t>(count);
                stream_.copy_to_device(at<char>(offset + static_cast<std::size_t>(first) * each * sizeof(T)), values.data(),
                                       values.size() * sizeof(T));
            };
            const auto in_float = [](const std::vector<double>& values) { return std::vector<float>(values.begin(), values.end()); };
            const std::vector<float> inputs = in_float(points.inputs), targets = in_float(points.targets),
                                     weights = in_float(points.weights);
            const std::vector<double> rounded = sizeof(Real) == 4 ? std::vector<double>(weights.begin(), weights.end()) : points.weights;
            copy(memory_.own_inputs, points.inputs);
            copy(memory_.own_targets, points.targets);
            copy(memory_.own_weights, points.weights);
            copy(memory_.own_rounded_weights, rounded);
            if constexpr (sizeof(Real) == 4) {
                copy(memory_.own_float_inputs, inputs);
                copy(memory_.own_float_targets, targets);
                copy(memory_.own_float_weights, weights);
            }
            stream_.synchronize();  // these are locals
        }
    }

    void begin() {
        stream_.fill_zero(task_.start, memory_.bytes);
        std::vector<std::int32_t> all(static_cast<std::size_t>(memory_.replicas));
        std::iota(all.begin(), all.end(), 0);
        stream_.copy_to_device(at<char>(memory_.lists[0]), all.data(), all.size() * sizeof(std::int32_t));
        stream_.copy_to_device(at<char>(memory_.list_counts[0]), &memory_.replicas, sizeof(std::int64_t));
        copy_own_points();
        launch(*task_.kernels->initialize, plain_plan, warps(), kernels::InitializeArguments<Real>{piece(false), device_cell_});
        stream_.synchronize();  // the list is a local
        if (task_.cell_plan->config().begins_on_host()) copy_starts();
    }

    /// Visits the place of canonical parameter j of replica r in an array of rows.
    template <class Visit>
    void for_places(std::int64_t r, Visit visit) const {
        const std::int64_t h = cell_.width, d = cell_.dimension, tile = cell_.tile.lanes;
        const auto place = [&](std::int64_t row, std::int64_t lane) {
            return static_cast<std::size_t>(row * memory_.lanes + r * tile + lane);
        };
        for (std::int64_t i = 0; i < h; ++i) {
            for (std::int64_t k = 0; k < d; ++k) visit(i * d + k, place(i / tile * (d + 2) + k, i % tile));
            visit(h * d + i, place(i / tile * (d + 2) + d, i % tile));
            visit(h * (d + 1) + i, place(i / tile * (d + 2) + d + 1, i % tile));
        }
        for (std::int64_t k = 0; k < outer_rows(); ++k) visit(h * (d + 2) + k, place(rows() - outer_rows() + k, 0));
    }
    std::int64_t rows() const { return kernels::row_count(cell_); }
    /// Those that all lanes of a tile have: of the outer bias and the skip weights.
    std::int64_t outer_rows() const { return kernels::row_count(0, cell_.dimension, cell_.skip); }

    /// Parameters of the host in the place of what was drawn.
    void copy_starts() {
        std::vector<Real> all(static_cast<std::size_t>(rows() * memory_.lanes));
        for (std::int64_t r = 0; r < memory_.replicas; ++r) {
            const CellPlan::Starts start = task_.cell_plan->starts(task_.first_trial + r, 1);
            for_places(r, [&](std::int64_t j, std::size_t place) {
                const std::int64_t copies = j < cell_.width * (cell_.dimension + 2) ? 1 : cell_.tile.lanes;
                for (std::int64_t lane = 0; lane < copies; ++lane)
                    all[place + static_cast<std::size_t>(lane)] = static_cast<Real>(start.first[j]);
            });
        }
        for (const std::size_t network : {memory_.theta, memory_.average})
            if (network != PieceMemory::none) stream_.copy_to_device(at<char>(network), all.data(), all.size() * sizeof(Real));
        stream_.synchronize();
    }

    /// One of the arrays of risks of all replicas.
    double* risks(RiskArray which) const { return at<double>(memory_.risks) + static_cast<std::int64_t>(which) * memory_.replicas; }

    /// Risks of the networks at an offset of the piece.
    void launch_risk(const kernels::Piece<Real>& of, const kernels::NodeTable<double>& nodes, std::size_t parameters, RiskArray which) {
        launch(*task_.kernels->risk, plan().risk, warps(),
               kernels::RiskArguments<Real>{of, nodes, cell_.activation, cell_.loss, cell_.tile, at<Real>(parameters), risks(which)});
    }

    /// Launches the next check and drops the replicas that it found diverged or at their end.
    void check() {
        const auto checks = at<CheckRecord>(memory_.checks);
        const bool all = kernels::measures_all(cell_, next_check_, checks);
        if (!all) launch_risk(piece(true), device_cell_.check_nodes, memory_.theta, RiskArray::Last);
        launch(*task_.kernels->check, all ? plan().evaluate : plain_plan, warps(),
               kernels::CheckArguments<Real, CheckRecord>{piece(true), device_cell_, next_check_, checks, risks(RiskArray::Last)});
        if (++next_check_ > cell_.checks) return;
        stream_.select(at<std::int32_t>(memory_.lists[list_]), at<std::int64_t>(memory_.list_counts[list_]), memory_.replicas,
                       at<std::uint8_t>(memory_.running), at<std::int32_t>(memory_.lists[1 - list_]),
                       at<std::int64_t>(memory_.list_counts[1 - list_]));
        list_ = 1 - list_;
    }

    /// Plans kernels for about the aimed time, hands them to the device, and waits for the submission before the last.
    void submit() {
        struct Planned {
            std::int64_t from, to;
            bool check;
        };
        std::vector<Planned> planned;
        const std::int64_t first_step = step_;
        double seconds = 0;
        std::int64_t check_index = next_check_;
        while (check_index <= cell_.checks && (planned.empty() || pace_.left(seconds) > 0)) {
            const std::int64_t goal = kernels::check_step(cell_, check_index), room = most_steps() - (step_ - first_step);
            const std::int64_t steps = std::min({goal - step_, room, pace_.steps_in(pace_.left(seconds))});
            if (steps > 0) planned.push_back({step_, step_ + steps, false});
            step_ += std::max<std::int64_t>(steps, 0);
            seconds += pace_.predicted_steps(steps);
            if (step_ == goal) {
                planned.push_back({step_, step_, true});
                seconds += pace_.predicted_check();
                ++check_index;
            } else {
                break;
            }
        }

        const std::size_t slot = next_slot_;
        next_slot_ = 1 - next_slot_;
        while (in_flight_.size() >= 2) drain();
        const std::int64_t steps = step_ - first_step;
        for (std::int64_t i = 0; i < steps; i += kernels::Schedule::slice)
            schedule_.next(&scalars_[slot][static_cast<std::size_t>(i)],
                           static_cast<int>(std::min<std::int64_t>(kernels::Schedule::slice, steps - i)));
        if (steps > 0)
            stream_.copy_to_device(at<char>(memory_.scalars[slot]), scalars_[slot],
                                   static_cast<std::size_t>(steps) * sizeof(kernels::StepScalars));
        Submission submission{slot, {}};
        for (const Planned& kernel : planned) {
            if (kernel.check) {
                check();
            } else {
                kernels::TrainArguments<Real> arguments{piece(true),
                                                        cell_.seed,
                                                        kernel.from,
                                                        kernel.to,
                                                        at<const kernels::StepScalars>(memory_.scalars[slot]) + (kernel.from - first_step),
                                                        training_nodes(),
                                                        kernels::input_table<Real>(device_cell_),
                                                        pick_tables(kernel.from)};
                launch(*task_.kernels->train, plan().train, warps(), arguments);
            }
            if (&kernel == &planned.back())
                stream_.copy_to_host(running_ + slot, at<char>(memory_.list_counts[list_]), sizeof(std::int64_t));
            submission.launched.push_back({kernel.to - kernel.from, stream_.record()});
        }
        in_flight_.push_back(std::move(submission));
    }

    /// Of a submission.
    std::int64_t most_steps() const {
        const auto capacity = static_cast<std::int64_t>(scalar_capacity());
        const std::int64_t given = task_.checkpoints->given_round();
        return given > 0 ? std::min(given, capacity) : capacity;
    }

    kernels::NodeTable<Real> training_nodes() const {
        if constexpr (sizeof(Real) == 4)
            return device_cell_.training_nodes_float;
        else
            return device_cell_.training_nodes_double;
    }

    /// For the steps from `from` + 1 on.
    kernels::PickTables pick_tables(std::int64_t from) const {
        if (cell_.picks == kernels::Picks::None) return {};
        const std::int64_t first = cell_.picks == kernels::Picks::Epochs ? from * cell_.batch : 0;
        return {device_cell_.pick_thresholds, training_nodes().count, first, cell_.batch};
    }

    /// Waits for the oldest submission and learns from it.
    void drain() {
        Submission submission = std::move(in_flight_.front());
        in_flight_.pop_front();
        submission.launched.back().end->wait();
        pace_.measured_submission(submission.launched.back().end->seconds_since(*last_));
        for (Launched& kernel : submission.launched) {
            const double seconds = kernel.end->seconds_since(*last_);
            if (kernel.steps > 0)
                pace_.measured_steps(kernel.steps, seconds);
            else
                pace_.measured_check(seconds);
            status_.replica_steps.fetch_add(kernel.steps * memory_.replicas, std::memory_order_relaxed);
            done_ += kernel.steps;
            last_ = std::move(kernel.end);
        }
        all_ended_ = running_[submission.slot] == 0;
    }

    void finish(BlockResult& result) {
        kernels::FinishArguments<Real, TrialRecord> arguments{};
        arguments.piece = piece(false);
        arguments.cell = device_cell_;
        arguments.scratch = at<double>(memory_.scratch);
        arguments.records = at<TrialRecord>(memory_.records);
        const auto risk_on = [&](const kernels::NodeTable<double>& nodes, std::size_t parameters, RiskArray which) {
            launch_risk(arguments.piece, nodes, parameters, which);
            return risks(which);
        };
        if (!cell_.exact_risk) {
            arguments.final_risks = risk_on(device_cell_.final_nodes, memory_.theta, RiskArray::Last);
            arguments.best_risks = risk_on(device_cell_.final_nodes, memory_.best, RiskArray::Best);
            if (any(cell_.average)) arguments.average_risks = risk_on(device_cell_.final_nodes, memory_.average, RiskArray::Average);
        }
        if (has_validation(cell_)) {
            arguments.validation_risks = risk_on(device_cell_.validation_nodes, memory_.theta, RiskArray::LastValidation);
            arguments.best_validation_risks = risk_on(device_cell_.validation_nodes, memory_.best, RiskArray::BestValidation);
            if (any(cell_.average))
                arguments.average_validation_risks = risk_on(device_cell_.validation_nodes, memory_.average, RiskArray::AverageValidation);
        }
        launch(*task_.kernels->finish, plain_plan, memory_.finish_warps, arguments);
        if (options_.aggregate && !options_.checks) {
            aggregate(result);
        } else {
            append_records(result);
        }
        if (options_.checks) append_checks(result);
        append_parameters(result);
    }

    bool wants(ParameterKind kind) const { return options_.states || options_.parameters.has(kind); }

    /// On the device; on the host if the device lacks the memory for it.
    void aggregate(BlockResult& result) {
        std::optional<Aggregate> piece = stream_.aggregate(at<TrialRecord>(memory_.records), memory_.replicas, task_.first_trial);
        if (!piece) {
            BlockResult copied;
            append_records(copied);
            piece = aggregate_records(copied.records.data(), memory_.replicas, task_.first_trial);
        }
        result.aggregate = merge(result.aggregate.value_or(Aggregate{}), *piece);
    }

    void append_records(BlockResult& result) {
        const auto replicas = static_cast<std::size_t>(memory_.replicas);
        TrialRecord* records = task_.buffers->records.at_least(replicas);
        std::memset(static_cast<void*>(records), 0xFF, replicas * sizeof(TrialRecord));
        stream_.copy_to_host(records, at<char>(memory_.records), replicas * sizeof(TrialRecord));
        stream_.record()->wait();
        // A device that fails says so at the wait; should one ever not, nothing that it did not write may pass for a result.
        for (std::size_t i = 0; i < replicas; ++i)
            if (static_cast<std::uint32_t>(records[i].verdict) > static_cast<std::uint32_t>(Verdict::Stopped))
                throw DeviceError(fmt::format("device {} ({}) reported success and gave no record of trial {}",
                                              task_.device->properties().index, task_.device->properties().name,
                                              task_.first_trial + static_cast<std::int64_t>(i)));
        result.records.insert(result.records.end(), records, records + replicas);
    }

    void append_checks(BlockResult& result) {
        const auto replicas = static_cast<std::size_t>(memory_.replicas), checks = static_cast<std::size_t>(cell_.checks) + 1;
        std::vector<CheckRecord> all(replicas * checks);
        stream_.copy_to_host(all.data(), at<char>(memory_.checks), all.size() * sizeof(CheckRecord));
        stream_.synchronize();
        const std::size_t first = result.records.size() - replicas;
        for (std::size_t r = 0; r < replicas; ++r)
            result.checks.push_back(checks_of_trial(cell_, result.records[first + r], all.data() + r * checks));
    }

    /// Appends all numbers of an array, [replicas][parameters] in canonical order; zeros if there is no such array.
    void append_network(std::size_t offset, std::vector<double>& to) {
        const std::int64_t parameters = kernels::parameter_count(cell_);
        const std::size_t first = to.size();
        to.resize(first + static_cast<std::size_t>(memory_.replicas * parameters));
        if (offset == PieceMemory::none) return;
        std::vector<Real> all(static_cast<std::size_t>(rows() * memory_.lanes));
        stream_.copy_to_host(all.data(), at<char>(offset), all.size() * sizeof(Real));
        stream_.synchronize();
        for (std::int64_t r = 0; r < memory_.replicas; ++r) {
            double* const network = to.data() + first + static_cast<std::size_t>(r * parameters);
            for_places(r, [&](std::int64_t j, std::size_t place) { network[j] = all[place]; });
        }
    }

    void append_parameters(BlockResult& result) {
        TrialParameters parameters{std::move(initial_), {}, {}, {}};
        if (wants(ParameterKind::Final)) append_network(memory_.theta, parameters[1]);
        if (wants(ParameterKind::Best)) append_network(memory_.best, parameters[2]);
        if (wants(ParameterKind::Average)) append_network(any(cell_.average) ? memory_.average : memory_.theta, parameters[3]);
        for (std::size_t kind = options_.states ? 0 : 1; kind < parameter_kinds; ++kind) {  // initial ones are there since the start
            if (!options_.parameters.kinds[kind]) continue;
            std::vector<double>& all = result.parameters[kind];
            all.insert(all.end(), parameters[kind].begin(), parameters[kind].end());
        }
        if (!options_.states) return;
        std::vector<double> first, second, third;
        append_network(memory_.first, first);
        append_network(memory_.second, second);
        append_network(memory_.third, third);
        const std::int64_t count = kernels::parameter_count(cell_);
        for (std::int64_t r = 0; r < memory_.replicas; ++r) {
            const auto slice = [&](const std::vector<double>& all) {
                return std::vector<double>(all.begin() + r * count, all.begin() + (r + 1) * count);
            };
            result.states.push_back({slice(parameters[0]), slice(parameters[1]), slice(first), slice(second), slice(third),
                                     slice(parameters[2]), slice(parameters[3])});
        }
    }

    const PieceTask& task_;
    WorkStatus& status_;
    const BlockOptions& options_;
    const Cell& cell_;
    Cell device_cell_;  ///< its tables, and the replicas' own points, on the device
    const PieceMemory& memory_;
    Stream& stream_;
    kernels::Schedule schedule_;
    LaunchPace pace_;
    kernels::StepScalars* scalars_[2];  ///< [scalar_capacity] each, page-locked
    std::int64_t* running_;             ///< [2] replicas that were trained on after a submission, page-locked
    std::deque<Submission> in_flight_;
    std::unique_ptr<Event> last_;  ///< end of the last kernel that was looked at
    std::vector<double> initial_;  ///< [replicas][parameters] if wanted
    std::size_t next_slot_ = 0;
    int list_ = 0;                 ///< which of the two lists is the current one
    std::int64_t next_check_ = 0;  ///< not launched yet
    std::int64_t step_ = 0;        ///< steps planned so far
    std::int64_t done_ = 0;        ///< those that are done
    bool all_ended_ = false;       ///< no replica is trained on
};

}  // namespace

std::int64_t PieceFormat::bytes(std::int64_t replicas) const {
    auto bytes = static_cast<std::int64_t>(sizeof(PieceHead)) + replicas * static_cast<std::int64_t>(sizeof(std::int32_t));
    for (const PieceArray& array : carried_arrays(cell_, lay_out_piece(cell_, {}, replicas, 1, {})))
        bytes += static_cast<std::int64_t>(array.bytes);
    return bytes;
}

std::string PieceFormat::problem_of(std::int64_t replicas, const char* progress, std::int64_t count) const {
    if (count != bytes(replicas)) return foreign_checkpoint;
    PieceHead head{0, 0, 0, kernels::Schedule(cell_.optimizer, cell_.learning_rate)};
    std::memcpy(static_cast<void*>(&head), progress, sizeof(head));
    if (head.next_check < 1 || head.next_check > cell_.checks || head.step > kernels::check_step(cell_, head.next_check) ||
        head.step < kernels::check_step(cell_, head.next_check - 1) || head.running < 0 || head.running > replicas)
        return foreign_checkpoint;
    if (replicas > most_replicas_) return fmt::format("its {} trials at once do not fit into the memory of this device", replicas);
    return "";
}

bool run_piece(const PieceTask& task, WorkStatus& status, const BlockOptions& options, BlockResult& result) {
    const auto run = [&]<class Real>(Real) {
        PieceRun<Real> piece(task, status, options);
        try {
            return piece.run(result);
        } catch (...) {
            // Nothing may be released that the device still works on. What the stream says now is not the first error.
            try {
                task.stream->synchronize();
            } catch (const Error&) {
            }
            throw;
        }
    };
    return task.cell->precision == kernels::Precision::Float32 ? run(float{}) : run(double{});
}

}  // namespace limrisk::cuda
