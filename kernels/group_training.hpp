// The life of a group of replicas on the CPU: initialize, train between checks, track, and write their records.
// A chunk has several groups (chunk_training.hpp), between which replicas move at checks. All memory comes from an arena that the caller
// owns.
#pragma once
#include "accurate_risk.hpp"
#include "condition.hpp"
#include "group_kinks.hpp"
#include "group_pass.hpp"
#include "group_state.hpp"
#include "replica.hpp"
#include "schedule.hpp"
#include "step.hpp"
#include "task.hpp"
#include "tracking.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class Real>
const NodeTable<Real>& training_nodes(const Cell& cell) {
    if constexpr (sizeof(Real) == 4)
        return cell.training_nodes_float;
    else
        return cell.training_nodes_double;
}

/// Risks in double of some replicas of a group, as many as a register of double has lanes, on the nodes of one rule.
class GroupEvaluation {
public:
    using Rows = RegisterRows<double>;

    GroupEvaluation(Arena& arena, const Cell& cell, const GroupShape& shape, const NodeTable<double>& nodes)
        : samples_(arena, cell, shape, nodes.count, &nodes) {
        pass_.take(arena, cell, shape, samples_);
    }
    void prepare() {
        samples_.prepare(nullptr);
        pass_.prepare();
    }
    void use(const LanePoints<double>& points, double weight) { samples_.use(points, weight); }
    /// Risk of each replica; writes the gradient too unless its rows are null.
    VecDouble risk(Rows theta, Rows gradient) { return batch_risk(pass_, samples_, 0, theta, gradient); }

private:
    GroupSamples<double> samples_;
    GroupPass<double> pass_;
};

template <class Real>
class GroupTraining {
public:
    /// Lays out the memory for a group of group_replicas(); with a null arena only `bytes()` is meaningful.
    GroupTraining(const Cell& cell, int replicas, char* memory)
        : cell_(cell),
          arena_(memory),
          shape_(group_shape<Real>(cell, replicas)),
          double_shape_(group_shape<double>(cell, replicas < register_lanes<double> ? replicas : register_lanes<double>)),
          schedule_(cell.optimizer, cell.learning_rate),
          own_(arena_, cell, shape_, double_shape_),
          samples_(arena_, cell, shape_, cell.batch, cell.fresh_samples ? nullptr : &training_nodes<Real>(cell), cell.picks),
          check_rule_(arena_, cell, double_shape_, cell.check_nodes),
          final_rule_(arena_, cell, double_shape_, cell.final_nodes),
          validation_rule_(arena_, cell, double_shape_, cell.validation_nodes),
          training_rule_(arena_, cell, double_shape_, cell.training_nodes_double),
          kinks_(arena_, cell, shape_, training_nodes<Real>(cell).inputs, cell.training_nodes_double) {
        pass_.take(arena_, cell, shape_, samples_);
        state_.take(arena_, shape_, state_count(cell.optimizer.kind), any(cell.average), cell.follows_kinks);
        gradient_ = take_rows<Real>(arena_, shape_);
        if (looks_ahead(cell.optimizer)) shifted_ = take_rows<Real>(arena_, shape_);
        unused_inactive_ = {arena_.take<V>(shape_.registers * shape_.slots), shape_.slots};
        theta_double_ = take_rows<double>(arena_, double_shape_);
        gradient_double_ = take_rows<double>(arena_, double_shape_);
        if (cell.learning_rate.searches()) kept_ = arena_.take<Real>(shape_.replicas * moved_numbers());
        stack_double_ = arena_.take<VecDouble>(static_cast<std::int64_t>(max_program_depth) * parts<double>);
        points_ = arena_.take<double>(breakpoint_capacity(cell));
        network_ = arena_.take<double>(3 * cell.width);
        if (cell.stop_proved) asked_ = arena_.take<double>(2 * parameter_count(cell));
        // Some milliseconds of work.
        const bool sorted = cell.algorithm == Algorithm::Kinks;
        const std::int64_t per_replica = sorted ? cell.batch + 8 * cell.width : cell.batch * (cell.width + 8) * cell.dimension;
        step_work_ = replicas * per_replica;
        const std::int64_t reports = (1 << 24) / (step_work_ + 1);
        steps_between_reports_ = static_cast<int>(reports < 1 ? 1 : reports < Schedule::slice ? reports : Schedule::slice);
    }
    std::size_t bytes() const { return arena_.used(); }
    int room() const { return shape_.replicas; }
    /// Numbers of Real that a replica is made of, beside its book.
    std::int64_t moved_numbers() const { return state_.numbers(); }
    int count() const { return count_; }
    /// Replicas that were to be trained on after the last check.
    int running() const { return running_; }

    /// Draws new replicas, number first_place .. first_place + count - 1 of the chunk.
    template <class Record, class Check>
    void begin(const ChunkTask<Record, Check>& task, std::int64_t first_place, int count) {
        for (int r = 0; r < count; ++r) places_[r] = first_place + r;
        for (Replica& replica : replica_) replica = Replica{};
        enter(task, count);
        initialize(task.first_trial);
        const std::int64_t parameters = parameter_count(cell_);
        for (int r = 0; task.start && r < count; ++r) state_.read(task.start + places_[r] * task.start_stride, r, state_.theta);
        if (state_.average) state_.copy(state_.theta, state_.average, lanes_of([](int) { return true; }));
        for (int r = 0; task.initial_parameters && r < count; ++r)
            state_.write(state_.theta, r, task.initial_parameters + places_[r] * parameters);
    }

    /// Takes over replicas of other groups, as they were saved, for what follows `step`.
    ///   places  [count] numbers in the chunk;   books, numbers  of all replicas of the chunk
    template <class Record, class Check>
    void resume(const ChunkTask<Record, Check>& task, const std::int64_t* places, int count, const Replica* books, Real* numbers,
                std::int64_t step, const Schedule& schedule) {
        for (int r = 0; r < count; ++r) places_[r] = places[r];
        for (int r = 0; r < lanes; ++r) replica_[r] = r < count ? books[places[r]] : Replica{};
        enter(task, count);
        step_ = step;
        schedule_ = schedule;
        for (int r = 0; r < count; ++r) state_.load(r, numbers + places[r] * moved_numbers());
    }

    /// Writes replica r where another group can take it over.
    void save(int r, Replica* books, Real* numbers) {
        books[places_[r]] = replica_[r];
        state_.save(r, numbers + places_[r] * moved_numbers());
    }
    const Schedule& schedule() const { return schedule_; }

    /// Trains to step `to`. False if the task was given up.
    bool train(std::int64_t to, bool (*advance)(void*, std::int64_t), void* callback) {
        StepScalars scalars[Schedule::slice];
        while (step_ < to) {
            if (!is_alive()) {  // and will not be: what is left counts as done, and needs no schedule
                const std::int64_t left = to - step_;
                step_ = to;
                return advance(callback, left * running_);
            }
            const int count = static_cast<int>(to - step_ < steps_between_reports_ ? to - step_ : steps_between_reports_);
            schedule_.next(scalars, count);
            for (int i = 0; is_alive() && i < count; ++i) take_step(step_ + 1 + i, scalars[i]);
            step_ += count;
            if (!advance(callback, std::int64_t{count} * running_)) return false;
        }
        return true;
    }
    /// Whether some replica is trained on: then schedule() is that of the present step.
    bool is_alive() const { return any(alive_[0]); }

    /// Trains to check number `index`, with the snapshots on the way, and makes it. False if the task was given up.
    template <class Record, class Check>
    bool advance_to(const ChunkTask<Record, Check>& task, std::int64_t index) {
        const std::int64_t to = check_step(cell_, index);
        for (; taken_ < task.snapshot_count && task.snapshot_steps[taken_] < to; ++taken_) {
            if (!train(task.snapshot_steps[taken_], task.advance, task.context)) return false;
            snapshot(task, taken_);
        }
        if (!train(to, task.advance, task.context)) return false;
        bool seen[lanes];
        for (int r = 0; r < count_; ++r) seen[r] = !replica_[r].has_ended_early();
        check(index, task.checks != nullptr || index == cell_.checks || may_end_early());
        if (cell_.stop_proved && index < cell_.checks) end_proved(task);
        for (int r = 0; task.checks && r < count_; ++r)
            if (seen[r]) task.checks[places_[r] * (cell_.checks + 1) + index] = replica_[r].template check_record<Check>(cell_, index);
        return index == cell_.checks || search(index, task.advance, task.context);
    }

    /// After a check: what the replicas that need no more training have left to do counts as done. False if the task was given up.
    template <class Record, class Check>
    bool retire(const ChunkTask<Record, Check>& task) {
        int still = 0;
        for (int r = 0; r < count_; ++r) still += replica_[r].running();
        const std::int64_t spared = (running_ - still) * (cell_.steps - step_);
        running_ = still;
        return spared == 0 || task.advance(task.context, spared);
    }

    /// Writes what there is to know of the replicas at their end.
    template <class Record, class Check>
    void finish(const ChunkTask<Record, Check>& task) {
        const std::int64_t parameters = parameter_count(cell_);
        if (taken_ < task.snapshot_count) snapshot(task, taken_);  // that of the last step
        FinalValues values[lanes]{};
        risks_of(state_.theta, values, &FinalValues::final_risk);
        risks_of(state_.best, values, &FinalValues::best_risk);
        if (state_.average) {
            risks_of(state_.average, values, &FinalValues::average_risk);
            const auto of_average = [&](int r) -> StateCounts<std::int32_t>& { return values[r].of_average; };
            count_states(state_.average, unused_inactive_, true, of_average);
        }
        if (has_validation(cell_)) {
            risks_by(validation_rule_, state_.theta, values, &FinalValues::validation_risk);
            risks_by(validation_rule_, state_.best, values, &FinalValues::best_validation_risk);
            if (state_.average) risks_by(validation_rule_, state_.average, values, &FinalValues::average_validation_risk);
        }
        for (int r = 0; r < count_; ++r) {
            const std::int64_t place = places_[r];
            values[r].fingerprint = state_.fingerprint(r);
            task.records[place] = replica_[r].template record<Record>(cell_, values[r], any(cell_.average), has_validation(cell_));
            if (task.parameters) state_.write(state_.theta, r, task.parameters + place * parameters);
            if (task.best_parameters) state_.write(state_.best, r, task.best_parameters + place * parameters);
            if (task.average_parameters)
                state_.write(state_.average ? state_.average : state_.theta, r, task.average_parameters + place * parameters);
            if (task.first_state && state_.first) state_.write(state_.first, r, task.first_state + place * parameters);
            if (task.second_state && state_.second) state_.write(state_.second, r, task.second_state + place * parameters);
            if (task.third_state && state_.third) state_.write(state_.third, r, task.third_state + place * parameters);
        }
    }

    /// In memory of the caller's.
    static void* operator new(std::size_t, void* place) { return place; }
    static void operator delete(void*, void*) {}

private:
    using V = Vec<Real>;
    using Rows = RegisterRows<Real>;
    using DoubleRows = RegisterRows<double>;
    static constexpr int lanes = register_lanes<Real>, double_lanes = register_lanes<double>;

    /// Makes everything ready for the replicas of places_ and replica_; all rows are 0. Lanes without a replica never move.
    template <class Record, class Check>
    void enter(const ChunkTask<Record, Check>& task, int count) {
        count_ = running_ = count;
        step_ = taken_ = 0;
        std::int64_t trials[lanes];
        for (int r = 0; r < lanes; ++r) trials[r] = task.first_trial + places_[r < count ? r : 0];
        own_.prepare(trials);
        samples_.prepare(trials);
        if (cell_.own_points > 0) samples_.use(own_.points(), 1.0 / static_cast<double>(cell_.batch));
        pass_.prepare();
        check_rule_.prepare();
        final_rule_.prepare();
        if (has_validation(cell_)) validation_rule_.prepare();
        training_rule_.prepare();
        kinks_.prepare();
        state_.clear();
        for (int p = 0; p < shape_.registers; ++p)
            for (std::int64_t row = 0; row < unused_inactive_.stride; ++row) unused_inactive_[row].part[p] = V{};
        alive_[0] = lanes_of([&](int r) { return r < count && replica_[r].running(); });
    }

    void initialize(std::int64_t first_trial) {
        std::int64_t trial_of[lanes];
        for (int r = 0; r < lanes; ++r) trial_of[r] = first_trial + places_[r < count_ ? r : 0];
        const LaneTrials trials = lane_trials<Real>(trial_of, shape_.replicas);
        VecWord numbers[warp_lanes]{};
        for (int p = 0; p < shape_.registers; ++p) {
            for (int i = 0; i < lanes; ++i) numbers[p][i] = static_cast<std::uint32_t>(p * shape_.together + i / shape_.replicas);
            initialize_register<Real>(cell_.initialization, shape_, cell_.seed, trials.low, trials.high, numbers[p], pass_.present[p],
                                      state_.theta, p);
        }
        if (cell_.inactive_start < 0) return;
        with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            if constexpr (has_frozen_neurons(kind))
                with_judged_range<Real, false>(cell_, cell_.on_data, shape_, [&](int p, const auto& range_of) {
                    V lane{};
                    for (int i = 0; i < lanes; ++i) lane_of(lane, i) = static_cast<Real>(numbers[p][i]);
                    condition_register<kind, Real>(cell_, shape_, trials.low, trials.high, numbers[p], lane, pass_.present[p], range_of,
                                                   state_.theta, p);
                });
        });
    }

    /// Those of a step, with the learning rate of each replica.
    LaneScalars<V> lane_scalars(const StepScalars& scalars) const {
        const double alpha = cell_.optimizer.alpha, decay = cell_.optimizer.weight_decay, rate = scalars.learning_rate;
        LaneScalars<V> own{scalars, splat<V>(rate), splat<V>(rate * alpha), splat<V>(rate * decay)};
        for (int i = 0; cell_.learning_rate.is_adaptive() && i < lanes; ++i) {
            const double of_replica = rate * replica_[i % shape_.replicas].rate_factor;
            lane_of(own.rate, i) = static_cast<Real>(of_replica);
            lane_of(own.rate_alpha, i) = static_cast<Real>(of_replica * alpha);
            lane_of(own.rate_decay, i) = static_cast<Real>(of_replica * decay);
        }
        return own;
    }

    void take_step(std::int64_t step, const StepScalars& scalars) {
        const StepRows<Rows, Rows> rows{state_.theta,  gradient_,    shifted_,       state_.first,
                                        state_.second, state_.third, state_.average, state_.average_lost};
        MaskOf<V> lost[1];
        train_step<Real>(cell_, shape_, step, lane_scalars(scalars), rows, alive_, lost, [&](Rows at, Rows gradient) {
            if (cell_.algorithm == Algorithm::Kinks)
                kinks_.gradient(at, pass_.present, gradient);
            else
                batch_risk(pass_, samples_, step, at, gradient);
        });
        if (!any(lost[0])) return;
        V ones = select(lost[0], splat<V>(1), V{});
        for (int r = 0; r < count_; ++r)
            if (lane_of(ones, r) != 0) replica_[r].diverge(step);
    }

    /// Lanes of the replicas for which chosen(r).
    template <class Chosen>
    MaskOf<V> lanes_of(Chosen chosen) const {
        V mask{};
        for (int i = 0; i < lanes; ++i) lane_of(mask, i) = chosen(i % shape_.replicas) ? Real(1) : Real(0);
        return negate(equal(mask, V{}));
    }

    /// Register p of the double shape for the replicas from `first` on.
    VecDouble to_double(Rows rows, std::int64_t row, int first, int p) const {
        if constexpr (sizeof(Real) == 8) return rows[row].part[p];
        // Either the register of a tile lane has two registers' replicas, or a register has twice the tile lanes.
        if (shape_.replicas > double_lanes) return register_to_double(rows[row].part[p], first / double_lanes);
        return register_to_double(rows[row].part[p / 2], p % 2);
    }

    /// Calls body(first) for the first of every double_shape_.replicas replicas, with their parameters in theta_double_.
    template <class Body>
    void each_in_double(Rows rows, Body body) {
        for (int first = 0; first < shape_.replicas; first += double_shape_.replicas) {
            for (int p = 0; p < double_shape_.registers; ++p)
                for (std::int64_t row = 0; row < shape_.rows(); ++row) theta_double_[row].part[p] = to_double(rows, row, first, p);
            body(first);
        }
    }

    /// Risk of the replicas from `first` on, whose parameters are in theta_double_: on their own points, if they have any and the
    /// rule is not that of the points held out. Writes the gradient too unless its rows are null.
    ///   rounded  as the training weighs its points: in its own precision
    VecDouble risk_by(GroupEvaluation& rule, int first, DoubleRows gradient, bool rounded = false) const {
        if (cell_.own_points > 0 && &rule != &validation_rule_) {
            const double weight = 1.0 / static_cast<double>(cell_.own_points);
            rule.use(own_.points_from(first, rounded), rounded ? static_cast<double>(static_cast<Real>(weight)) : weight);
        }
        return rule.risk(theta_double_, gradient);
    }

    /// The states of the neurons of `parameters`: of_replica(r) takes those of replica r.
    ///   on_data  whether those that are inactive on the data alone are asked for
    template <class OfReplica>
    void count_states(Rows parameters, Rows was_inactive, bool on_data, OfReplica of_replica) {
        StateCounts<V> counts{};
        with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            const auto add = [&](int p, const auto& range_of) {
                counts.add(count_states_by<kind, Real>(cell_.activation, range_of, shape_, parameters, pass_.present[p], was_inactive, p));
            };
            if (cell_.own_points > 0) {
                const LanePoints<Real> points = own_.points();
                const auto input = [&](std::int64_t m, std::int64_t k) { return points.inputs[m * cell_.dimension + k]; };
                for (int p = 0; p < shape_.registers; ++p)
                    add(p, [&](const auto& slot) { return range_over<Real>(input, cell_.own_points, cell_.dimension, slot, p); });
                return;
            }
            with_judged_range<Real, false>(cell_, cell_.on_data, shape_, add);
            if (cell_.on_data || !on_data) return;
            const DecidingInputs<double> data = judged_inputs(cell_);
            for (int p = 0; p < shape_.registers; ++p)
                counts.inactive_on_data =
                    counts.inactive_on_data + count_inactive_on_data<kind, Real, 1, 0>(cell_.activation, data.data(), data.count, shape_,
                                                                                       parameters, pass_.present[p], was_inactive, p);
        });
        counts.each([&](V& number) { number = sum_within(number, shape_); });
        for (int r = 0; r < shape_.replicas; ++r) of_replica(r) = counts.one([&](V& number) { return lane_of(number, r); });
    }

    /// What measure() asks of the replicas from `first` on, whose parameters are in theta_double_.
    struct InDouble {
        GroupTraining& group;
        int first;
        bool holds;

        VecDouble risk(bool on_training_nodes) const {
            return group.risk_by(on_training_nodes ? group.training_rule_ : group.check_rule_, first, group.gradient_double_,
                                 on_training_nodes);
        }
        VecDouble risk_alone() const { return group.risk_by(group.check_rule_, first, {}); }
        VecDouble theta(std::int64_t row, int p) const { return group.theta_double_[row].part[p]; }
        VecDouble gradient(std::int64_t row, int p) const { return group.gradient_double_[row].part[p]; }
        VecDouble moved(std::int64_t row, int p) const { return theta(row, p) - group.to_double(group.state_.tail_start, row, first, p); }
    };

    /// What there is to know of the present parameters.
    ///   gradient, at_end, moved  as of kernels' measure()
    void measure_group(Rows was_inactive, bool gradient, bool at_end, bool moved, CheckValues (&values)[lanes]) {
        each_in_double(state_.theta, [&](int first) {
            InDouble side{*this, first, any(cell_.held)};
            Measures<VecDouble> measures = measure<VecDouble>(cell_, double_shape_, gradient, at_end, moved, side);
            for (int r = 0; r < double_shape_.replicas; ++r)
                static_cast<Measures<double>&>(values[first + r]) = measures.one([&](VecDouble& number) { return lane_of(number, r); });
        });
        bool on_data = gradient;
        for (int r = 0; r < count_; ++r) on_data = on_data || replica_[r].diverges_by(values[r]);
        count_states(state_.theta, was_inactive, on_data, [&](int r) -> StateCounts<std::int32_t>& { return values[r]; });
    }

    /// Compares the kinks of all replicas with those at the start.
    void follow_kinks(bool starts, CheckValues (&values)[lanes]) {
        const double kink = traits_of(cell_.activation.kind).kinks[0].at.of(cell_.activation);
        const auto follow = [&](std::int64_t count, const auto& input) {
            V crossed{}, furthest{};
            for (int p = 0; p < shape_.registers; ++p)
                crossed = crossed + kernels::follow_kinks<Real>(kink, input, count, shape_, state_.theta, pass_.present[p], state_.followed,
                                                                starts, furthest, p);
            crossed = sum_within(crossed, shape_);
            for (int i = 0; i < lanes; ++i) {
                CheckValues& of = values[i % shape_.replicas];
                of.kinks_crossed = static_cast<std::int32_t>(lane_of(crossed, i));
                const auto moved = static_cast<double>(lane_of(furthest, i));
                if (of.kink_displacement < moved) of.kink_displacement = moved;
            }
        };
        if (cell_.own_points > 0) {
            const LanePoints<Real> points = own_.points();
            return follow(cell_.own_points, [&](std::int64_t m) { return points.inputs[m]; });
        }
        const NodeTable<Real>& nodes = training_nodes<Real>(cell_);
        follow(nodes.count, [&](std::int64_t m) { return splat<V>(static_cast<double>(nodes.inputs[m])); });
    }

    /// As ends_early(), and by proof, which is no part of kernels that a GPU runs.
    bool may_end_early() const { return ends_early(cell_) || cell_.stop_proved; }

    /// Ends the replicas whose limiting risk is proved at the check just made.
    template <class Record, class Check>
    void end_proved(const ChunkTask<Record, Check>& task) {
        for (int r = 0; r < count_; ++r) {
            if (!replica_[r].running()) continue;
            state_.write(state_.theta, r, asked_);
            if (state_.first) state_.write(state_.first, r, asked_ + parameter_count(cell_));
            if (task.is_proved(cell_, asked_, step_)) replica_[r].stop();
        }
        rest_where_ended();
    }

    /// Replicas that are not to be trained on no longer move.
    void rest_where_ended() {
        alive_[0] = both(alive_[0], lanes_of([&](int r) { return replica_[r].running(); }));
    }

    void check(std::int64_t index, bool gradient) {
        CheckValues values[lanes];
        const bool starts = starts_window(cell_, index), moved = in_window(cell_, index) && !starts;
        measure_group(state_.was_inactive, gradient, index == cell_.checks || may_end_early(), moved, values);
        if (cell_.follows_kinks) follow_kinks(index == 0, values);
        bool improved[lanes]{};
        for (int r = 0; r < count_; ++r) {
            improved[r] = replica_[r].check(cell_, index, values[r]);
            searches_[r] = cell_.learning_rate.is_adaptive() && replica_[r].running() && replica_[r].adapt(cell_.learning_rate, index);
        }
        rest_where_ended();
        state_.copy(state_.theta, state_.best, lanes_of([&](int r) { return improved[r]; }));
        if (starts) state_.copy(state_.theta, state_.tail_start, lanes_of([](int) { return true; }));
    }

    /// After check number `index`: tries learning rates for the replicas that look for one, and leaves all else as it was. False if the
    /// task was given up.
    bool search(std::int64_t index, bool (*advance)(void*, std::int64_t), void* callback) {
        const auto seeking = lanes_of([&](int r) { return searches_[r]; });
        if (!any(seeking)) return true;
        const auto alive = alive_[0];
        const Schedule schedule = schedule_;
        const LearningRate& rate = cell_.learning_rate;
        Replica books[lanes];
        double smallest[lanes], chosen[lanes];
        for (int r = 0; r < count_; ++r) {
            books[r] = replica_[r];
            chosen[r] = books[r].rate_factor;
            smallest[r] = RealTraits<double>::infinity;
            state_.save(r, kept_ + r * moved_numbers());
        }
        StepScalars scalars[Schedule::slice];
        for (std::int64_t k = 0; k < rate.rates; ++k) {
            for (int r = 0; r < count_; ++r) replica_[r].rate_factor = books[r].tried_factor(rate, k);
            alive_[0] = both(alive, seeking);
            // Samples that training never comes to.
            const std::int64_t before = cell_.steps + index * rate.search_steps;
            for (std::int64_t step = 0; step < rate.search_steps;) {
                const std::int64_t left = rate.search_steps - step;
                const int count = static_cast<int>(left < steps_between_reports_ ? left : steps_between_reports_);
                schedule_.next(scalars, count);
                for (int i = 0; is_alive() && i < count; ++i) take_step(before + step + 1 + i, scalars[i]);
                step += count;
                if (!advance(callback, 0)) return false;
            }
            each_in_double(state_.theta, [&](int first) {
                VecDouble risk = risk_by(check_rule_, first, {});
                for (int r = first; r < first + double_shape_.replicas && r < count_; ++r)
                    if (searches_[r] && !replica_[r].diverged && lane_of(risk, r - first) < smallest[r]) {
                        smallest[r] = lane_of(risk, r - first);
                        chosen[r] = replica_[r].rate_factor;
                    }
            });
            for (int r = 0; r < count_; ++r) {
                replica_[r] = books[r];
                state_.load(r, kept_ + r * moved_numbers());
            }
            schedule_ = schedule;
        }
        alive_[0] = alive;
        for (int r = 0; r < count_; ++r) replica_[r].rate_factor = chosen[r];
        kinks_.prepare();
        return true;
    }

    template <class Record, class Check>
    void snapshot(const ChunkTask<Record, Check>& task, std::int64_t number) {
        const std::int64_t parameters = parameter_count(cell_);
        CheckValues values[lanes];
        measure_group(unused_inactive_, true, false, false, values);
        for (int r = 0; r < count_; ++r) {
            if (replica_[r].has_ended_early() && task.snapshot_steps[number] > replica_[r].last_step) continue;
            const std::int64_t place = places_[r] * task.snapshot_count + number;
            Replica seen{};
            seen.take(values[r]);
            task.snapshot_checks[place] = seen.template record_at<Check>(cell_, task.snapshot_steps[number]);
            state_.write(state_.theta, r, task.snapshot_parameters + place * parameters);
        }
    }

    double accurate_risk_of(Rows rows, int replica) {
        const std::int64_t h = cell_.width;
        double outer[2]{};  // c, and u
        state_.for_coordinates(
            rows, replica, [&](std::int64_t j, Real value) { (j < 3 * h ? network_[j] : outer[j - 3 * h]) = static_cast<double>(value); });
        const SkipNetworkView network{{h, network_, network_ + h, network_ + 2 * h, outer[0]}, cell_.skip, outer[1]};
        const auto value = [&](const Program& program, const Pack<double>& x) {
            Pack<double> y;
            run_target(program, x.part, 0, 1, parts<double>, stack_double_);
            for_parts<double>([&](int p) { y.part[p] = stack_double_[p]; });
            return y;
        };
        const auto target = [&](const Pack<double>& x) { return value(cell_.target, x); };
        const auto risk = [&](const auto& density) {
            return with_activation(cell_.activation.kind, [&](auto tag) {
                constexpr ActivationKind kind = decltype(tag)::kind;
                return accurate_risk<kind>(cell_, network, points_, breakpoints<kind>(cell_, network, points_), target, density);
            });
        };
        if (cell_.input.kind != LawKind::Table) return risk(NoDensity{});
        return risk(GivenDensity{[&](const Pack<double>& x) { return value(cell_.density, x); }});
    }

    /// True risks of the replicas: exact in dimension 1, by the final rule beyond.
    void risks_of(Rows rows, FinalValues (&values)[lanes], double FinalValues::*risk) {
        if (!cell_.exact_risk) return risks_by(final_rule_, rows, values, risk);
        for (int r = 0; r < count_; ++r) values[r].*risk = accurate_risk_of(rows, r);
    }

    void risks_by(GroupEvaluation& rule, Rows rows, FinalValues (&values)[lanes], double FinalValues::*risk) {
        each_in_double(rows, [&](int first) {
            VecDouble risks = risk_by(rule, first, {});
            for (int r = 0; r < double_shape_.replicas; ++r) values[first + r].*risk = lane_of(risks, r);
        });
    }

    const Cell& cell_;
    Arena arena_;
    GroupShape shape_, double_shape_;  ///< of training; of evaluating in double
    Schedule schedule_;
    OwnPoints<Real> own_;
    GroupSamples<Real> samples_;
    GroupPass<Real> pass_;
    GroupEvaluation check_rule_, final_rule_, validation_rule_, training_rule_;
    GroupKinks<Real> kinks_;
    GroupState<Real> state_;
    Rows gradient_, shifted_{};
    Rows unused_inactive_;  ///< [slots] where a snapshot writes, who does not look back
    DoubleRows theta_double_, gradient_double_;
    VecDouble* stack_double_;
    Real* kept_{};  ///< [replicas][moved_numbers()] those at the check where rates are searched
    double *points_, *network_;
    double* asked_ = nullptr;  ///< [2][parameters] of a replica and its first state, if the cell has stop_proved
    MaskOf<V> alive_[1]{};     ///< of every register
    std::int64_t step_work_;
    int steps_between_reports_;
    int count_ = 0, running_ = 0;        ///< replicas; those that were to be trained on after the last check
    std::int64_t step_ = 0, taken_ = 0;  ///< steps done; snapshots so far
    std::int64_t places_[lanes];         ///< [count_] numbers in the chunk
    Replica replica_[lanes];
    bool searches_[lanes]{};  ///< since the last check: for a learning rate
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
