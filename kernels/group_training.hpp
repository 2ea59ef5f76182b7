// The life of a group of replicas on the CPU: initialize, train between checks, track, and write their records.
// A chunk has several groups (chunk_training.hpp), between which replicas move at checks. All memory comes from an arena that the caller
// owns.
#pragma once
#include "accurate_risk.hpp"
#include "group_kinks.hpp"
#include "group_pass.hpp"
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
          samples_(arena_, cell, shape_, cell.batch, cell.fresh_samples ? nullptr : &training_nodes<Real>(cell)),
          check_rule_(arena_, cell, double_shape_, cell.check_nodes),
          final_rule_(arena_, cell, double_shape_, cell.final_nodes),
          training_rule_(arena_, cell, double_shape_, cell.training_nodes_double),
          kinks_(arena_, cell, shape_, training_nodes<Real>(cell).inputs, cell.training_nodes_double) {
        pass_.take(arena_, cell, shape_, samples_);
        const int states = state_count(cell.optimizer.kind);
        theta_ = take_rows<Real>(shape_);
        gradient_ = take_rows<Real>(shape_);
        best_ = take_rows<Real>(shape_);
        tail_start_ = take_rows<Real>(shape_);
        if (states >= 1) first_ = take_rows<Real>(shape_);
        if (states >= 2) second_ = take_rows<Real>(shape_);
        if (states >= 3) third_ = take_rows<Real>(shape_);
        if (looks_ahead(cell.optimizer)) shifted_ = take_rows<Real>(shape_);
        was_inactive_ = {arena_.take<V>(shape_.registers * shape_.slots), shape_.slots};
        unused_inactive_ = {arena_.take<V>(shape_.registers * shape_.slots), shape_.slots};
        theta_double_ = take_rows<double>(double_shape_);
        gradient_double_ = take_rows<double>(double_shape_);
        square_sums_ = arena_.take<VecDouble>(double_shape_.registers);
        stack_double_ = arena_.take<VecDouble>(static_cast<std::int64_t>(max_program_depth) * parts<double>);
        points_ = arena_.take<double>(breakpoint_capacity(cell));
        network_ = arena_.take<double>(3 * cell.width);
        // Some milliseconds of work.
        const bool sorted = cell.algorithm == Algorithm::Kinks;
        const std::int64_t per_replica = sorted ? cell.batch + 8 * cell.width : cell.batch * (cell.width + 8) * cell.dimension;
        const std::int64_t step_work = replicas * per_replica, reports = (1 << 24) / (step_work + 1);
        steps_between_reports_ = static_cast<int>(reports < 1 ? 1 : reports < Schedule::slice ? reports : Schedule::slice);
    }
    std::size_t bytes() const { return arena_.used(); }
    int room() const { return shape_.replicas; }
    /// Numbers of Real that a replica is made of, beside its book: moved_arrays().
    std::int64_t moved_numbers() const { return ((3 + state_count(cell_.optimizer.kind)) * shape_.rows() + shape_.slots) * shape_.tile; }
    int count() const { return count_; }
    /// Replicas that were to be trained on after the last check.
    int running() const { return running_; }

    /// Draws new replicas, number first_place .. first_place + count - 1 of the chunk.
    template <class Record, class Check>
    void begin(const ChunkTask<Record, Check>& task, std::int64_t first_place, int count) {
        for (int r = 0; r < count; ++r) places_[r] = first_place + r;
        for (Replica& replica : replica_) replica = Replica{};
        enter(task, count);
        initialize_parameters(task.first_trial);
        const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
        for (int r = 0; task.initial_parameters && r < count; ++r)
            write_state(theta_, r, task.initial_parameters + places_[r] * parameters);
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
        for (int r = 0; r < count; ++r)
            for_moved(r, [from = numbers + places[r] * moved_numbers()](Real& number) mutable { number = *from++; });
    }

    /// Writes replica r where another group can take it over.
    void save(int r, Replica* books, Real* numbers) {
        books[places_[r]] = replica_[r];
        for_moved(r, [to = numbers + places_[r] * moved_numbers()](Real& number) mutable { *to++ = number; });
    }
    const Schedule& schedule() const { return schedule_; }

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
        for (int r = 0; r < count_; ++r) seen[r] = replica_[r].ended == 0;
        check(index, task.checks != nullptr || index == cell_.checks || ends_early(cell_));
        for (int r = 0; task.checks && r < count_; ++r)
            if (seen[r]) task.checks[places_[r] * (cell_.checks + 1) + index] = replica_[r].template check_record<Check>(cell_, index);
        return true;
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
        const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
        if (taken_ < task.snapshot_count) snapshot(task, taken_);  // that of the last step
        double final_risks[lanes], best_risks[lanes];
        risks_of(theta_, count_, final_risks);
        risks_of(best_, count_, best_risks);
        for (int r = 0; r < count_; ++r) {
            const std::int64_t place = places_[r];
            task.records[place] = replica_[r].template record<Record>(cell_, final_risks[r], best_risks[r], fingerprint(r));
            if (task.parameters) write_state(theta_, r, task.parameters + place * parameters);
            if (task.first_state && first_) write_state(first_, r, task.first_state + place * parameters);
            if (task.second_state && second_) write_state(second_, r, task.second_state + place * parameters);
            if (task.third_state && third_) write_state(third_, r, task.third_state + place * parameters);
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

    template <class R>
    RegisterRows<R> take_rows(const GroupShape& shape) {
        return {arena_.take<Vec<R>>(shape.registers * shape.rows()), shape.rows()};
    }

    struct MovedArrays {
        Rows rows[7];
        const Rows* begin() const { return rows; }
        const Rows* end() const { return rows + 7; }
    };
    /// What a replica takes along; those that the optimizer lacks are null.
    MovedArrays moved_arrays() const { return {{theta_, first_, second_, third_, best_, tail_start_, was_inactive_}}; }

    /// Calls body(number) for all numbers of a replica, in an order that is the same in all groups of the cell.
    template <class Body>
    void for_moved(int replica, Body body) {
        for (const Rows& rows : moved_arrays())
            for (std::int64_t row = 0; rows && row < rows.stride; ++row)
                for (int lane = 0; lane < shape_.tile; ++lane) body(number_at(rows, row, lane, replica));
    }

    /// Makes everything ready for the replicas of places_ and replica_; all rows are 0. Lanes without a replica never move.
    template <class Record, class Check>
    void enter(const ChunkTask<Record, Check>& task, int count) {
        count_ = running_ = count;
        step_ = taken_ = 0;
        std::int64_t trials[lanes];
        for (int r = 0; r < lanes; ++r) trials[r] = task.first_trial + places_[r < count ? r : 0];
        samples_.prepare(trials);
        pass_.prepare();
        check_rule_.prepare();
        final_rule_.prepare();
        training_rule_.prepare();
        kinks_.prepare();
        for (const Rows& rows : moved_arrays())
            for (int p = 0; rows && p < shape_.registers; ++p)
                for (std::int64_t row = 0; row < rows.stride; ++row) rows[row].part[p] = V{};
        for (int p = 0; p < shape_.registers; ++p)
            for (std::int64_t row = 0; row < unused_inactive_.stride; ++row) unused_inactive_[row].part[p] = V{};
        alive_ = lanes_of([&](int r) { return r < count && replica_[r].running(); });
    }

    /// docs/numerics.md sections 2 and 8.
    void initialize_parameters(std::int64_t first_trial) {
        const std::int64_t d = cell_.dimension;
        std::int64_t trial_of[lanes];
        for (int r = 0; r < lanes; ++r) trial_of[r] = first_trial + places_[r < count_ ? r : 0];
        const LaneTrials trials = lane_trials<Real>(trial_of, shape_.replicas);
        const Initialization& laws = cell_.initialization;
        const auto variate = [&](const Law& law, Purpose purpose, const VecWord& position, std::int64_t k) {
            VecWord words[4] = {position, VecWord{} + (purpose_word(purpose, 0) + static_cast<std::uint32_t>(k / 4)), trials.low,
                                trials.high};
            philox(words, cell_.seed);
            V x = uniform_register<Real>(words[k % 4], 0);
            apply_law(law, &x, 1);
            return x + V{};
        };
        for (int p = 0; p < shape_.registers; ++p) {
            for (std::int64_t q = 0; q < shape_.slots; ++q) {
                VecWord neuron{};
                for (int i = 0; i < lanes; ++i)
                    neuron[i] = static_cast<std::uint32_t>(q * shape_.tile + p * shape_.together + i / shape_.replicas);
                for (std::int64_t k = 0; k < shape_.per_slot(); ++k) {
                    const Law& law = k < d ? laws.inner_weight : k == d ? laws.inner_bias : laws.outer_weight;
                    const V x = variate(law, Purpose::Neuron, neuron, k);
                    const bool all_present = q + 1 < shape_.slots;
                    theta_[q * shape_.per_slot() + k].part[p] = all_present ? x : select(equal(pass_.present[p], V{}), V{}, x);
                }
            }
            theta_[shape_.outer_bias()].part[p] = variate(laws.outer_bias, Purpose::OuterBias, VecWord{}, 0);
        }
    }

    bool train(std::int64_t to, bool (*advance)(void*, std::int64_t), void* callback) {
        StepScalars scalars[Schedule::slice];
        while (step_ < to) {
            const int count = static_cast<int>(to - step_ < Schedule::slice ? to - step_ : Schedule::slice);
            schedule_.next(scalars, count);
            for (int done = 0; done < count; done += steps_between_reports_) {
                const int upto = done + steps_between_reports_ < count ? done + steps_between_reports_ : count;
                for (int i = done; any(alive_) && i < upto; ++i) train_step(step_ + 1 + i, scalars[i]);
                if (!advance(callback, std::int64_t{upto - done} * running_)) return false;
            }
            step_ += count;
        }
        return true;
    }

    void train_step(std::int64_t step, const StepScalars& scalars) {
        Rows at = theta_;
        if (shifted_) {
            for (int p = 0; p < shape_.registers; ++p)
                look_ahead<Real>(cell_.optimizer, scalars, shape_.rows(), theta_, first_, shifted_, p);
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
                decay_weights<Real>(cell_.optimizer, scalars, shape_.rows(), at, theta_, gradient_, alive_, p);
        with_optimizer(cell_.optimizer.kind, [&](auto tag) {
            for (int p = 0; p < shape_.registers; ++p)
                update_rows<decltype(tag)::kind, Real>(cell_.optimizer, scalars, shape_.rows(), gradient_, alive_, theta_, first_, second_,
                                                       third_, p);
        });
    }

    /// Lanes of the replicas for which chosen(r).
    template <class Chosen>
    MaskOf<V> lanes_of(Chosen chosen) const {
        V mask{};
        for (int i = 0; i < lanes; ++i) lane_of(mask, i) = chosen(i % shape_.replicas) ? Real(1) : Real(0);
        return negate(equal(mask, V{}));
    }

    void copy_rows(Rows from, Rows to, const MaskOf<V>& replicas) {
        for (int p = 0; any(replicas) && p < shape_.registers; ++p)
            for (std::int64_t row = 0; row < shape_.rows(); ++row) {
                V& target = to[row].part[p];
                target = select(replicas, from[row].part[p], target);
            }
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

    /// Sum of the squares of a parameter-shaped array in double. row(r, p): register p of row r.
    template <class Row>
    VecDouble sum_of_squares(Row row) {
        for (int p = 0; p < double_shape_.registers; ++p) {
            square_sums_[p] = VecDouble{};
            for (std::int64_t r = 0; r < shape_.outer_bias(); ++r) {
                const VecDouble value = row(r, p);
                square_sums_[p] = fma(value, value, square_sums_[p]);
            }
        }
        const VecDouble outer = row(shape_.outer_bias(), 0);
        return fma(outer, outer, sum_over_tile(square_sums_, double_shape_));
    }

    StateCounts<V> count_states(Rows was_inactive) {
        return with_activation(cell_.activation.kind, [&](auto tag) {
            const DecidingInputs<double> data = judged_inputs(cell_);
            StateCounts<V> sum{};
            for (int p = 0; p < shape_.registers; ++p) {
                const StateCounts<V> part =
                    count_states_on<decltype(tag)::kind, Real>(cell_, data, shape_, theta_, pass_.present[p], was_inactive, p);
                sum.add(part);
            }
            GroupShape one = shape_;
            one.registers = 1;
            sum.each([&](V& number) { number = sum_over_tile(&number, one); });
            return sum;
        });
    }

    /// What there is to know of the present parameters.
    ///   gradient  also the gradient's norm;   at_end, moved  also what only a last check, only later checks of a window see
    void measure(Rows was_inactive, bool gradient, bool at_end, bool moved, CheckValues (&values)[lanes]) {
        each_in_double(theta_, [&](int first) {
            const auto squares = [&](DoubleRows rows) {
                return sum_of_squares([&](std::int64_t row, int p) { return rows[row].part[p]; });
            };
            VecDouble risk = check_rule_.risk(theta_double_, gradient ? gradient_double_ : DoubleRows{});
            VecDouble gradient_square = gradient ? squares(gradient_double_) : VecDouble{};
            VecDouble training_square = gradient_square, parameter_square = squares(theta_double_), moved_square{};
            if (at_end && !cell_.fresh_samples) {
                training_rule_.risk(theta_double_, gradient_double_);
                training_square = squares(gradient_double_);
            }
            if (const double decay = trained_decay(cell_.optimizer); at_end && decay != 0)
                training_square = sum_of_squares([&](std::int64_t row, int p) {
                    return fma(splat<VecDouble>(decay), theta_double_[row].part[p], gradient_double_[row].part[p]);
                });
            if (moved)
                moved_square = sum_of_squares(
                    [&](std::int64_t row, int p) { return to_double(theta_, row, first, p) - to_double(tail_start_, row, first, p); });
            for (int r = 0; r < double_shape_.replicas; ++r) {
                CheckValues& value = values[first + r];
                value.risk = lane_of(risk, r);
                value.gradient_square = lane_of(gradient_square, r);
                value.parameter_square = lane_of(parameter_square, r);
                value.training_square = lane_of(training_square, r);
                value.moved_square = lane_of(moved_square, r);
            }
        });
        StateCounts<V> counts = count_states(was_inactive);
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

    void check(std::int64_t index, bool gradient) {
        CheckValues values[lanes];
        const bool window = in_window(cell_, index), starts = window && place_in_window(cell_, index) == 0;
        measure(was_inactive_, gradient, index == cell_.checks || ends_early(cell_), window && !starts, values);
        bool improved[lanes];
        for (int r = 0; r < shape_.replicas; ++r) improved[r] = replica_[r].check(cell_, index, values[r]);
        alive_ = both(alive_, lanes_of([&](int r) { return replica_[r].running(); }));
        copy_rows(theta_, best_, lanes_of([&](int r) { return improved[r]; }));
        if (starts) copy_rows(theta_, tail_start_, lanes_of([](int) { return true; }));
    }

    template <class Record, class Check>
    void snapshot(const ChunkTask<Record, Check>& task, std::int64_t number) {
        const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
        CheckValues values[lanes];
        measure(unused_inactive_, true, false, false, values);
        for (int r = 0; r < count_; ++r) {
            if (replica_[r].ended != 0 && task.snapshot_steps[number] > replica_[r].last_step) continue;
            const std::int64_t place = places_[r] * task.snapshot_count + number;
            Replica seen{};
            seen.take(values[r]);
            task.snapshot_checks[place] = seen.template record_at<Check>(cell_, task.snapshot_steps[number]);
            write_state(theta_, r, task.snapshot_parameters + place * parameters);
        }
    }

    /// The number of a replica in a row of a lane of its tile.
    Real& number_at(Rows rows, std::int64_t row, int lane, int replica) const {
        return lane_of(rows[row].part[lane / shape_.together], lane % shape_.together * shape_.replicas + replica);
    }

    /// Calls body(j, value) for the coordinates of one replica in canonical order j.
    template <class Body>
    void for_coordinates(Rows rows, int replica, Body body) const {
        const std::int64_t d = shape_.dimension, h = shape_.width;
        const auto at = [&](std::int64_t row, int lane) { return number_at(rows, row, lane, replica); };
        for (std::int64_t i = 0; i < h; ++i) {
            const std::int64_t slot = i / shape_.tile * shape_.per_slot();
            const int lane = static_cast<int>(i % shape_.tile);
            for (std::int64_t k = 0; k < d; ++k) body(i * d + k, at(slot + k, lane));
            body(h * d + i, at(slot + d, lane));
            body(h * (d + 1) + i, at(slot + d + 1, lane));
        }
        body(h * (d + 2), at(shape_.outer_bias(), 0));
    }

    double accurate_risk_of(Rows rows, int replica) {
        const std::int64_t h = cell_.width;
        double outer_bias = 0;
        for_coordinates(rows, replica, [&](std::int64_t j, Real value) {
            if (j < 3 * h)
                network_[j] = static_cast<double>(value);
            else
                outer_bias = static_cast<double>(value);
        });
        const NetworkView network{h, network_, network_ + h, network_ + 2 * h, outer_bias};
        const auto target = [&](const Pack<double>& x) {
            Pack<double> y;
            run_target(cell_.target, x.part, 0, 1, parts<double>, stack_double_);
            for_parts<double>([&](int p) { y.part[p] = stack_double_[p]; });
            return y;
        };
        return with_activation(cell_.activation.kind, [&](auto tag) {
            constexpr ActivationKind kind = decltype(tag)::kind;
            return accurate_risk<kind>(cell_, network, points_, breakpoints<kind>(cell_, network, points_), target);
        });
    }

    /// True risks of the first `count` replicas: exact in dimension 1, by the final rule beyond.
    void risks_of(Rows rows, int count, double (&risks)[lanes]) {
        if (cell_.dimension == 1) {
            for (int r = 0; r < count; ++r) risks[r] = accurate_risk_of(rows, r);
            return;
        }
        each_in_double(rows, [&](int first) {
            VecDouble risk = final_rule_.risk(theta_double_, DoubleRows{});
            for (int r = 0; r < double_shape_.replicas; ++r) risks[first + r] = lane_of(risk, r);
        });
    }

    void write_state(Rows rows, int replica, double* out) const {
        for_coordinates(rows, replica, [&](std::int64_t j, Real value) { out[j] = static_cast<double>(value); });
    }

    std::uint64_t fingerprint(int replica) const {
        Fingerprint fingerprint;
        std::uint64_t array = 0;
        const Rows arrays[] = {theta_, first_, second_, third_};
        for (const Rows& rows : arrays) {
            if (rows)
                for_coordinates(rows, replica, [&](std::int64_t j, Real value) {
                    fingerprint.add(value, static_cast<std::uint64_t>(j) +
                                               array * static_cast<std::uint64_t>(parameter_count(cell_.width, cell_.dimension)));
                });
            ++array;
        }
        return fingerprint.value();
    }

    const Cell& cell_;
    Arena arena_;
    GroupShape shape_, double_shape_;  ///< of training; of evaluating in double
    Schedule schedule_;
    GroupSamples<Real> samples_;
    GroupPass<Real> pass_;
    GroupEvaluation check_rule_, final_rule_, training_rule_;
    GroupKinks<Real> kinks_;
    Rows theta_, gradient_, first_{}, second_{}, third_{}, shifted_{}, best_, tail_start_;
    Rows was_inactive_, unused_inactive_;  ///< [slots]; the second: where a snapshot writes, who does not look back
    DoubleRows theta_double_, gradient_double_;
    VecDouble *square_sums_, *stack_double_;
    double *points_, *network_;
    MaskOf<V> alive_{};
    int steps_between_reports_;
    int count_ = 0, running_ = 0;        ///< replicas; those that were to be trained on after the last check
    std::int64_t step_ = 0, taken_ = 0;  ///< steps done; snapshots so far
    std::int64_t places_[lanes];         ///< [count_] numbers in the chunk
    Replica replica_[lanes];
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
