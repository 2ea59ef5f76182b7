// The life of a group of replicas on the CPU: initialize, train between checks, track, and write their records.
// A chunk has several groups (chunk_training.hpp), between which replicas move at checks. All memory comes from an arena that the caller
// owns.
#pragma once
#include "accurate_risk.hpp"
#include "average.hpp"
#include "condition.hpp"
#include "group_kinks.hpp"
#include "group_pass.hpp"
#include "group_state.hpp"
#include "replica.hpp"
#include "schedule.hpp"
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
        state_.take(arena_, shape_, state_count(cell.optimizer.kind), any(cell.average));
        gradient_ = take_rows<Real>(arena_, shape_);
        if (looks_ahead(cell.optimizer)) shifted_ = take_rows<Real>(arena_, shape_);
        unused_inactive_ = {arena_.take<V>(shape_.registers * shape_.slots), shape_.slots};
        theta_double_ = take_rows<double>(arena_, double_shape_);
        gradient_double_ = take_rows<double>(arena_, double_shape_);
        if (cell.learning_rate.searches()) kept_ = arena_.take<Real>(shape_.replicas * moved_numbers());
        square_sums_ = arena_.take<VecDouble>(double_shape_.registers);
        stack_double_ = arena_.take<VecDouble>(static_cast<std::int64_t>(max_program_depth) * parts<double>);
        points_ = arena_.take<double>(breakpoint_capacity(cell));
        network_ = arena_.take<double>(3 * cell.width);
        if (cell.stop_proved) asked_ = arena_.take<double>(parameter_count(cell));
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
            for (int i = 0; is_alive() && i < count; ++i) train_step(step_ + 1 + i, scalars[i]);
            step_ += count;
            if (!advance(callback, std::int64_t{count} * running_)) return false;
        }
        return true;
    }
    /// Whether some replica is trained on: then schedule() is that of the present step.
    bool is_alive() const { return any(alive_); }

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
        double final_risks[lanes], best_risks[lanes], average_risks[lanes]{}, validation_risks[lanes]{}, best_validation_risks[lanes]{},
            average_validation_risks[lanes]{};
        CheckValues of_average[lanes]{};
        risks_of(state_.theta, count_, final_risks);
        risks_of(state_.best, count_, best_risks);
        if (state_.average) {
            risks_of(state_.average, count_, average_risks);
            count_states(state_.average, unused_inactive_, of_average);
        }
        if (has_validation(cell_)) {
            validation_risks_of(state_.theta, validation_risks);
            validation_risks_of(state_.best, best_validation_risks);
            if (state_.average) validation_risks_of(state_.average, average_validation_risks);
        }
        for (int r = 0; r < count_; ++r) {
            const std::int64_t place = places_[r];
            task.records[place] = replica_[r].template record<Record>(cell_, final_risks[r], best_risks[r], state_.fingerprint(r));
            if (state_.average) replica_[r].add_average(task.records[place], cell_, average_risks[r], of_average[r]);
            if (has_validation(cell_)) replica_[r].add_validation(task.records[place], validation_risks[r], best_validation_risks[r]);
            if (has_validation(cell_) && state_.average)
                replica_[r].add_average_validation(task.records[place], average_validation_risks[r]);
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
        alive_ = lanes_of([&](int r) { return r < count && replica_[r].running(); });
    }

    void initialize(std::int64_t first_trial) {
        std::int64_t trial_of[lanes];
        for (int r = 0; r < lanes; ++r) trial_of[r] = first_trial + places_[r < count_ ? r : 0];
        const LaneTrials trials = lane_trials<Real>(trial_of, shape_.replicas);
        for (int p = 0; p < shape_.registers; ++p) {
            VecWord lane_number{};
            for (int i = 0; i < lanes; ++i) lane_number[i] = static_cast<std::uint32_t>(p * shape_.together + i / shape_.replicas);
            initialize_register<Real>(cell_.initialization, shape_, cell_.seed, trials.low, trials.high, lane_number, pass_.present[p],
                                      state_.theta, p);
            if (cell_.inactive_start >= 0) condition(trials, lane_number, p);
        }
    }

    /// Register p of a start with a condition.
    void condition(const LaneTrials& trials, const VecWord& lane_number, int p) {
        V lane{};
        for (int i = 0; i < lanes; ++i) lane_of(lane, i) = static_cast<Real>(lane_number[i]);
        const DecidingInputs<double> data = judged_inputs(cell_);
        with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            if constexpr (has_frozen_neurons(kind)) {
                const auto range_of = [&](const auto& slot) {
                    return cell_.on_data ? node_range<Real>(data.data(), data.count, cell_.dimension, slot, p)
                                         : box_range<Real, false>(cell_, slot, p);
                };
                condition_register<kind, Real>(cell_, shape_, trials.low, trials.high, lane_number, lane, pass_.present[p], range_of,
                                               state_.theta, p);
            }
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

    void train_step(std::int64_t step, const StepScalars& same_scalars) {
        const LaneScalars<V> scalars = lane_scalars(same_scalars);
        Rows at = state_.theta;
        if (shifted_) {
            for (int p = 0; p < shape_.registers; ++p)
                look_ahead<Real>(cell_.optimizer, scalars, shape_.rows(), state_.theta, state_.first, shifted_, p);
            at = shifted_;
        }
        if (cell_.algorithm == Algorithm::Kinks)
            kinks_.gradient(at, pass_.present, gradient_);
        else
            batch_risk(pass_, samples_, step, at, gradient_);
        V dc = gradient_[shape_.outer_bias()].part[0];
        const auto finite = less_equal(abs(dc), splat<V>(RealTraits<Real>::largest));
        if (any(both(alive_, negate(finite))))
            for (int r = 0; r < count_; ++r)
                if (replica_[r].running() && !(abs(lane_of(dc, r)) <= RealTraits<Real>::largest)) {
                    replica_[r].diverged = true;
                    replica_[r].nonfinite_step = step;
                }
        alive_ = both(alive_, finite);
        if (cell_.optimizer.weight_decay != 0)
            for (int p = 0; p < shape_.registers; ++p)
                decay_weights<Real>(cell_.optimizer, scalars, shape_, cell_.held, at, state_.theta, gradient_, alive_, p);
        if (any(cell_.held))
            for (int p = 0; p < shape_.registers; ++p) hold_still<Real>(shape_, cell_.held, gradient_, p);
        with_optimizer(cell_.optimizer.kind, [&](auto tag) {
            for (int p = 0; p < shape_.registers; ++p)
                update_rows<decltype(tag)::kind, Real>(cell_.optimizer, scalars, shape_.rows(), gradient_, alive_, state_.theta,
                                                       state_.first, state_.second, state_.third, p);
        });
        for (int p = 0; state_.average && p < shape_.registers; ++p)
            update_average<Real>(cell_.average, step, shape_.rows(), state_.theta, alive_, state_.average, state_.average_lost, p);
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

    /// Lets a rule have the points of the replicas from `first` on, if they have their own.
    ///   weight  of each, unless they have their own;   rounded  those that they have to Real
    void use_own_points(GroupEvaluation& rule, int first, double weight, bool rounded = false) const {
        if (cell_.own_points > 0) rule.use(own_.points_from(first, rounded), weight);
    }
    double point_weight() const { return 1.0 / static_cast<double>(cell_.own_points); }

    /// row(r, p): register p of row r.
    template <class Row>
    VecDouble squares(Row row) {
        return sum_of_squares<VecDouble>(shape_, row, [&](auto share) {
            for (int p = 0; p < double_shape_.registers; ++p) square_sums_[p] = share(p);
            return sum_over_tile(square_sums_, double_shape_);
        });
    }

    /// The states of the neurons of `parameters`; of what is to be known of them nothing else.
    void count_states(Rows parameters, Rows was_inactive, CheckValues (&values)[lanes]) {
        StateCounts<V> counts = with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            StateCounts<V> sum{};
            if (cell_.own_points > 0) {
                const LanePoints<Real> points = own_.points();
                const auto input = [&](std::int64_t m, std::int64_t k) { return points.inputs[m * cell_.dimension + k]; };
                for (int p = 0; p < shape_.registers; ++p)
                    sum.add(count_states_by<kind, Real>(
                        cell_.activation,
                        [&](const auto& slot) { return range_over<Real>(input, cell_.own_points, cell_.dimension, slot, p); }, shape_,
                        parameters, pass_.present[p], was_inactive, p));
            } else {
                const DecidingInputs<double> data = judged_inputs(cell_);
                for (int p = 0; p < shape_.registers; ++p)
                    sum.add(count_states_on<kind, Real>(cell_, data, shape_, parameters, pass_.present[p], was_inactive, p));
            }
            GroupShape one = shape_;
            one.registers = 1;
            sum.each([&](V& number) { number = sum_over_tile(&number, one); });
            return sum;
        });
        for (int r = 0; r < shape_.replicas; ++r) {
            const auto count = [&](V& number) { return static_cast<std::int32_t>(lane_of(number, r)); };
            CheckValues& value = values[r];
            value.inactive = count(counts.inactive);
            value.constant = count(counts.constant);
            value.linear = count(counts.linear);
            value.inactive_on_data = count(counts.inactive_on_data);
            value.died = count(counts.died);
            value.revived = count(counts.revived);
            value.frozen_constant = count(counts.frozen_constant);
        }
    }

    /// What there is to know of the present parameters.
    ///   gradient  also the gradient's norm;   at_end, moved  also what only a last check, only later checks of a window see
    void measure(Rows was_inactive, bool gradient, bool at_end, bool moved, CheckValues (&values)[lanes]) {
        each_in_double(state_.theta, [&](int first) {
            const auto squares_of = [&](DoubleRows rows) { return squares([&](std::int64_t row, int p) { return rows[row].part[p]; }); };
            const bool all_trained = !any(cell_.held);
            const auto trained_squares = [&](double decay) {
                return squares([&](std::int64_t row, int p) {
                    if (!all_trained && has_row(cell_.held, shape_, row)) return VecDouble{};
                    const VecDouble g = gradient_double_[row].part[p];
                    return decay == 0 ? g : fma(splat<VecDouble>(decay), theta_double_[row].part[p], g);
                });
            };
            use_own_points(check_rule_, first, point_weight());
            VecDouble risk = check_rule_.risk(theta_double_, gradient ? gradient_double_ : DoubleRows{});
            VecDouble gradient_square = gradient ? trained_squares(0) : VecDouble{};
            VecDouble training_square = gradient_square, parameter_square = squares_of(theta_double_), moved_square{};
            if (at_end && !cell_.fresh_samples) {
                use_own_points(training_rule_, first, static_cast<double>(static_cast<Real>(point_weight())), true);
                training_rule_.risk(theta_double_, gradient_double_);
                training_square = trained_squares(0);
            }
            if (const double decay = trained_decay(cell_.optimizer); at_end && decay != 0) training_square = trained_squares(decay);
            if (moved)
                moved_square = squares([&](std::int64_t row, int p) {
                    return to_double(state_.theta, row, first, p) - to_double(state_.tail_start, row, first, p);
                });
            for (int r = 0; r < double_shape_.replicas; ++r) {
                CheckValues& value = values[first + r];
                value.risk = lane_of(risk, r);
                value.gradient_square = lane_of(gradient_square, r);
                value.parameter_square = lane_of(parameter_square, r);
                value.training_square = lane_of(training_square, r);
                value.moved_square = lane_of(moved_square, r);
            }
        });
        count_states(state_.theta, was_inactive, values);
    }

    /// As ends_early(), and by proof, which is no part of kernels that a GPU runs.
    bool may_end_early() const { return ends_early(cell_) || cell_.stop_proved; }

    /// Ends the replicas whose limiting risk is proved at the check just made.
    template <class Record, class Check>
    void end_proved(const ChunkTask<Record, Check>& task) {
        for (int r = 0; r < count_; ++r) {
            if (!replica_[r].running()) continue;
            state_.write(state_.theta, r, asked_);
            if (task.is_proved(cell_, asked_)) replica_[r].stop();
        }
        rest_where_ended();
    }

    /// Replicas that are not to be trained on no longer move.
    void rest_where_ended() {
        alive_ = both(alive_, lanes_of([&](int r) { return replica_[r].running(); }));
    }

    void check(std::int64_t index, bool gradient) {
        CheckValues values[lanes];
        const bool window = in_window(cell_, index), starts = window && place_in_window(cell_, index) == 0;
        measure(state_.was_inactive, gradient, index == cell_.checks || may_end_early(), window && !starts, values);
        bool improved[lanes];
        for (int r = 0; r < shape_.replicas; ++r) {
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
        const auto alive = alive_;
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
            alive_ = both(alive, seeking);
            // Samples that training never comes to.
            const std::int64_t before = cell_.steps + index * rate.search_steps;
            for (std::int64_t step = 0; step < rate.search_steps;) {
                const std::int64_t left = rate.search_steps - step;
                const int count = static_cast<int>(left < steps_between_reports_ ? left : steps_between_reports_);
                schedule_.next(scalars, count);
                for (int i = 0; is_alive() && i < count; ++i) train_step(before + step + 1 + i, scalars[i]);
                step += count;
                if (!advance(callback, 0)) return false;
            }
            each_in_double(state_.theta, [&](int first) {
                use_own_points(check_rule_, first, point_weight());
                VecDouble risk = check_rule_.risk(theta_double_, DoubleRows{});
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
        alive_ = alive;
        for (int r = 0; r < count_; ++r) replica_[r].rate_factor = chosen[r];
        kinks_.prepare();
        return true;
    }

    template <class Record, class Check>
    void snapshot(const ChunkTask<Record, Check>& task, std::int64_t number) {
        const std::int64_t parameters = parameter_count(cell_);
        CheckValues values[lanes];
        measure(unused_inactive_, true, false, false, values);
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

    /// True risks of the first `count` replicas: exact in dimension 1, by the final rule beyond.
    void risks_of(Rows rows, int count, double (&risks)[lanes]) {
        if (cell_.exact_risk) {
            for (int r = 0; r < count; ++r) risks[r] = accurate_risk_of(rows, r);
            return;
        }
        each_in_double(rows, [&](int first) {
            use_own_points(final_rule_, first, point_weight());
            VecDouble risk = final_rule_.risk(theta_double_, DoubleRows{});
            for (int r = 0; r < double_shape_.replicas; ++r) risks[first + r] = lane_of(risk, r);
        });
    }

    /// Risks on the points that are held out.
    void validation_risks_of(Rows rows, double (&risks)[lanes]) {
        each_in_double(rows, [&](int first) {
            VecDouble risk = validation_rule_.risk(theta_double_, DoubleRows{});
            for (int r = 0; r < double_shape_.replicas; ++r) risks[first + r] = lane_of(risk, r);
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
    VecDouble *square_sums_, *stack_double_;
    Real* kept_{};  ///< [replicas][moved_numbers()] those at the check where rates are searched
    double *points_, *network_;
    double* asked_ = nullptr;  ///< [parameters] of a replica, if the cell has stop_proved
    MaskOf<V> alive_{};
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
