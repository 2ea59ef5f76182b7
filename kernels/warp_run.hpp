// Bodies of Warp (warp.hpp).
#pragma once
#include "warp.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class Real>
const NodeTable<Real>& training_nodes(const Cell& cell) {
    if constexpr (sizeof(Real) == 4)
        return cell.training_nodes_float;
    else
        return cell.training_nodes_double;
}

template <class Real>
Warp<Real>::Warp(const Cell& cell, std::int64_t first_trial, char* memory)
    : cell_(cell), layout_{cell.dimension, cell.tile.neurons_per_lane, cell.tile.lanes}, schedule_(cell.optimizer, cell.learning_rate) {
    Arena arena(memory);
    const std::int64_t rows = layout_.rows();
    theta_ = arena.take<Pack<Real>>(rows);
    gradient_ = arena.take<Pack<Real>>(rows);
    best_ = arena.take<Pack<Real>>(rows);
    tail_start_ = arena.take<Pack<Real>>(rows);
    const int states = state_count(cell.optimizer.kind);
    if (states >= 1) first_ = arena.take<Pack<Real>>(rows);
    if (states >= 2) second_ = arena.take<Pack<Real>>(rows);
    if (traits_of(cell.optimizer.kind).looks_ahead) shifted_ = arena.take<Pack<Real>>(rows);
    was_inactive_ = arena.take<Pack<Real>>(layout_.slots);
    unused_inactive_ = arena.take<Pack<Real>>(layout_.slots);
    theta_double_ = arena.take<Pack<double>>(rows);
    gradient_double_ = arena.take<Pack<double>>(rows);
    const int rounds = samples_per_lane(cell.dimension);
    stack_double_ = arena.take<VecDouble>(static_cast<std::int64_t>(max_program_depth) * parts<double>);
    points_ = arena.take<double>(breakpoint_capacity(cell));
    network_ = arena.take<double>(3 * cell.width);

    SampleBlock<Real> block;
    SampleBlock<double> block_double;
    samples_.kind = cell.fresh_samples ? BatchSource<Real>::Kind::Fresh : BatchSource<Real>::Kind::Nodes;
    samples_.count = cell.batch;
    samples_.draw = &draw_;
    samples_.step = 0;
    samples_.stack = arena.take<V>(static_cast<std::int64_t>(max_program_depth) * rounds * parts<Real>);
    plan_pass(arena, train_, block, training_nodes<Real>(cell), samples_);
    check_nodes_.kind = BatchSource<double>::Kind::Nodes;
    check_nodes_.count = cell.check_nodes.count;
    plan_pass(arena, evaluate_, block_double, cell.check_nodes, check_nodes_);
    // Once a trial: loaded as they are needed.
    const auto load_late = [&](BatchSource<double>& source, const NodeTable<double>& nodes) {
        source.kind = BatchSource<double>::Kind::Nodes;
        source.block = block_double;
        source.nodes = nodes;
        source.count = nodes.count;
        source.superblocks = nullptr;
        source.set_orders(cell.dimension, tile());
    };
    load_late(final_nodes_, cell.final_nodes);
    load_late(training_nodes_, cell.training_nodes_double);
    bytes_ = arena.used();
    if (!memory) return;

    draw_.seed = cell.seed;
    draw_.trials = trial_words(first_trial, tile());
    draw_.lane_call = make_words(
        [&](int i) { return static_cast<std::uint32_t>(i & (tile() - 1)) * static_cast<std::uint32_t>(calls_per_group(cell.dimension)); });
    if (cell.fresh_samples)
        for (int t = 0; t < rounds; ++t) block.weights[t] = splat_pack<Real>(1.0 / static_cast<double>(cell.batch));
}

/// Scratch of one precision's passes; loads the nodes in advance if they are few.
template <class Real>
template <class R>
void Warp<Real>::plan_pass(Arena& arena, BatchContext<R>& context, SampleBlock<R>& block, const NodeTable<R>& nodes,
                           BatchSource<R>& source) {
    const std::int64_t rounds = samples_per_lane(cell_.dimension), d = cell_.dimension;
    block.inputs = arena.take<Pack<R>>(rounds * d);
    block.targets = arena.take<Pack<R>>(rounds);
    block.weights = arena.take<Pack<R>>(rounds);
    context.cell = &cell_;
    context.layout = layout_;
    context.scratch.outputs = arena.take<Pack<R>>(rounds * tile());
    context.scratch.errors = arena.take<Pack<R>>(rounds);
    context.scratch.broadcast = arena.take<Vec<R>>(samples_in_registers * d);
    context.scratch.lane_number = lane_in_tile<R>(tile());
    context.last_slot_present =
        make_pack<R>([&](int i) { return (layout_.slots - 1) * tile() + (i & (tile() - 1)) < cell_.width ? R(1) : R(0); });
    source.block = block;
    source.nodes = nodes;
    source.set_orders(d, tile());
    source.superblocks = nullptr;
    if (source.kind == BatchSource<R>::Kind::Fresh) return;
    const std::int64_t superblock = rounds * tile(), packs = BatchSource<R>::superblock_packs(d);
    const std::int64_t superblocks = (source.count + superblock - 1) / superblock;
    if (superblocks > static_cast<std::int64_t>(preload_limit / sizeof(Pack<R>)) / packs) return;
    Pack<R>* loaded = arena.take<Pack<R>>(superblocks * packs);
    for (std::int64_t i = 0; loaded && i < superblocks; ++i) {
        Pack<R>* start = loaded + i * packs;
        load_nodes(nodes, d, tile(), i * superblock, {start, start + rounds * d, start + rounds * (d + 1)});
    }
    source.superblocks = loaded;
}

template <class Real>
void Warp<Real>::initialize() {
    initialize_rows<Real>(cell_.initialization, layout_, cell_.seed, draw_.trials, train_.last_slot_present, theta_);
    for (std::int64_t q = 0; q < layout_.slots; ++q) was_inactive_[q] = unused_inactive_[q] = Pack<Real>{};
    for (std::int64_t row = 0; row < layout_.rows(); ++row) {
        if (first_) first_[row] = Pack<Real>{};
        if (second_) second_[row] = Pack<Real>{};
    }
    for (int p = 0; p < parts<Real>; ++p) alive_[p] = equal(V{}, V{});
    for (Replica& replica : replica_) replica = Replica{};
}

template <class Real>
void Warp<Real>::train_step(std::int64_t step, const StepScalars& scalars) {
    samples_.step = step;
    const Pack<Real>* at = theta_;
    if (shifted_) {
        look_ahead<Real>(cell_.optimizer, scalars, layout_.rows(), theta_, first_, shifted_);
        at = shifted_;
    }
    batch_gradient(train_, samples_, at, gradient_);
    const Pack<Real>& dc = gradient_[layout_.outer_bias()];
    bool lost = false;
    for_parts<Real>([&](int p) {
        const auto finite = less_equal(abs(dc.part[p]), splat<V>(RealTraits<Real>::largest));
        lost = lost || any(both(alive_[p], negate(finite)));
        alive_[p] = both(alive_[p], finite);
    });
    if (lost)
        for (int r = 0; r < warp_lanes / tile(); ++r)
            if (!replica_[r].diverged && !(abs(dc.lane(r * tile())) <= RealTraits<Real>::largest)) {
                replica_[r].diverged = true;
                replica_[r].nonfinite_step = step;
            }
    with_optimizer(cell_.optimizer.kind, [&](auto tag) {
        update_rows<decltype(tag)::kind, Real>(cell_.optimizer, scalars, layout_.rows(), gradient_, alive_, theta_, first_, second_);
    });
}

template <class Real>
bool Warp<Real>::train(std::int64_t from, std::int64_t to, bool (*advance)(void*, std::int64_t), void* callback) {
    StepScalars scalars[Schedule::slice];
    for (std::int64_t step = from; step < to; step += Schedule::slice) {
        const int count = static_cast<int>(to - step < Schedule::slice ? to - step : Schedule::slice);
        schedule_.next(scalars, count);
        bool running = false;
        for (int p = 0; p < parts<Real>; ++p) running = running || any(alive_[p]);
        for (int i = 0; running && i < count; ++i) train_step(step + 1 + i, scalars[i]);
        if (!advance(callback, count)) return false;
    }
    return true;
}

template <class Real>
void Warp<Real>::copy_rows(const Pack<Real>* from, Pack<Real>* to, const bool* replicas) {
    const auto chosen = make_pack<Real>([&](int i) { return replicas[i / tile()] ? Real(1) : Real(0); });
    for (std::int64_t row = 0; row < layout_.rows(); ++row)
        for_parts<Real>([&](int p) { to[row].part[p] = select(equal(chosen.part[p], V{}), to[row].part[p], from[row].part[p]); });
}

template <class Real>
CheckValues Warp<Real>::Measurement::values(int lane) const {
    const auto count = [&](const Pack<Real>& pack) { return static_cast<std::int32_t>(pack.lane(lane)); };
    return {risk.lane(lane),
            gradient_square.lane(lane),
            parameter_square.lane(lane),
            training_square.lane(lane),
            moved_square.lane(lane),
            count(counts.inactive),
            count(counts.constant),
            count(counts.linear),
            count(counts.inactive_on_data),
            count(counts.died),
            count(counts.revived),
            count(counts.frozen_constant)};
}

template <class Real>
Pack<double> Warp<Real>::gradient_square() const {
    return sum_of_squares(layout_, [&](std::int64_t row) { return gradient_double_[row]; });
}

/// What there is to know of the present parameters of all replicas.
template <class Real>
typename Warp<Real>::Measurement Warp<Real>::measure(Pack<Real>* was_inactive) {
    for (std::int64_t row = 0; row < layout_.rows(); ++row) theta_double_[row] = to_double(theta_[row]);
    const Pack<double> risk = batch_gradient(evaluate_, check_nodes_, theta_double_, gradient_double_);
    const Pack<double> square = gradient_square();
    return {risk,   square, sum_of_squares(layout_, [&](std::int64_t row) { return theta_double_[row]; }),
            square, {},     count_states<Real>(cell_, layout_, theta_, train_.last_slot_present, was_inactive)};
}

template <class Real>
void Warp<Real>::check(std::int64_t index) {
    const int replicas = warp_lanes / tile();
    Measurement measured = measure(was_inactive_);
    if (index == cell_.checks && !cell_.fresh_samples) {
        batch_gradient(evaluate_, training_nodes_, theta_double_, gradient_double_);
        measured.training_square = gradient_square();
    }
    if (index > first_tail_check(cell_)) measured.moved_square = squared_distance<Real>(layout_, theta_, tail_start_);
    bool improved[warp_lanes] = {}, all[warp_lanes] = {};
    for (int r = 0; r < replicas; ++r) {
        const int lane = r * tile();
        Replica& replica = replica_[r];
        const bool was_diverged = replica.diverged;
        improved[r] = replica.check(cell_, index, measured.values(lane));
        for (int i = lane; replica.diverged && !was_diverged && i < lane + tile(); ++i) freeze_lane(i);
        all[r] = true;
    }
    copy_rows(theta_, best_, improved);
    if (index == first_tail_check(cell_)) copy_rows(theta_, tail_start_, all);
}

template <class Real>
template <class Record, class Check>
void Warp<Real>::snapshot(const WarpTask<Record, Check>& task, std::int64_t number) {
    const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
    const Measurement measured = measure(unused_inactive_);
    for (int r = 0; r < task.replicas; ++r) {
        const std::int64_t place = r * task.snapshot_count + number;
        Replica seen{};
        seen.take(measured.values(r * tile()));
        task.snapshot_checks[place] = seen.template record_at<Check>(cell_, task.snapshot_steps[number]);
        write_state(theta_, r, task.snapshot_parameters + place * parameters);
    }
}

template <class Real>
template <class Body>
void Warp<Real>::for_coordinates(const Pack<Real>* rows, int replica, Body body) const {
    const std::int64_t d = layout_.dimension, h = cell_.width;
    for (std::int64_t i = 0; i < h; ++i) {
        const Pack<Real>* slot = rows + i / tile() * layout_.per_slot();
        const int lane = replica * tile() + static_cast<int>(i % tile());
        for (std::int64_t k = 0; k < d; ++k) body(i * d + k, slot[k].lane(lane));
        body(h * d + i, slot[d].lane(lane));
        body(h * (d + 1) + i, slot[d + 1].lane(lane));
    }
    body(h * (d + 2), rows[layout_.outer_bias()].lane(replica * tile()));
}

template <class Real>
double Warp<Real>::accurate_risk_of(const Pack<Real>* rows, int replica) {
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

template <class Real>
void Warp<Real>::write_state(const Pack<Real>* rows, int replica, double* out) const {
    for_coordinates(rows, replica, [&](std::int64_t j, Real value) { out[j] = static_cast<double>(value); });
}

template <class Real>
std::uint64_t Warp<Real>::fingerprint(int replica) const {
    Fingerprint fingerprint;
    std::uint64_t array = 0;
    const Pack<Real>* const arrays[] = {theta_, first_, second_};
    for (const Pack<Real>* rows : arrays) {
        if (rows)
            for_coordinates(rows, replica, [&](std::int64_t j, Real value) {
                fingerprint.add(value, static_cast<std::uint64_t>(j) +
                                           array * static_cast<std::uint64_t>(parameter_count(cell_.width, cell_.dimension)));
            });
        ++array;
    }
    return fingerprint.value();
}

template <class Real>
template <class Record, class Check>
bool Warp<Real>::run(const WarpTask<Record, Check>& task) {
    const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
    initialize();
    for (int r = 0; task.initial_parameters && r < task.replicas; ++r) write_state(theta_, r, task.initial_parameters + r * parameters);
    std::int64_t step = 0, taken = 0;  // done; snapshots so far
    for (std::int64_t index = 0; index <= cell_.checks; ++index) {
        const std::int64_t to = check_step(cell_, index);
        for (; taken < task.snapshot_count && task.snapshot_steps[taken] < to; ++taken) {
            if (!train(step, task.snapshot_steps[taken], task.advance, task.context)) return false;
            step = task.snapshot_steps[taken];
            snapshot(task, taken);
        }
        if (!train(step, to, task.advance, task.context)) return false;
        step = to;
        check(index);
        for (int r = 0; task.checks && r < task.replicas; ++r)
            task.checks[r * (cell_.checks + 1) + index] = replica_[r].template check_record<Check>(cell_, index);
    }
    if (taken < task.snapshot_count) snapshot(task, taken);  // that of the last step
    Pack<double> final_risk{}, best_risk{};
    if (cell_.dimension == 1) {
        for (int r = 0; r < task.replicas; ++r) {
            final_risk.set_lane(r * tile(), accurate_risk_of(theta_, r));
            best_risk.set_lane(r * tile(), accurate_risk_of(best_, r));
        }
    } else {
        final_risk = rule_risk(theta_);
        best_risk = rule_risk(best_);
    }
    for (int r = 0; r < task.replicas; ++r) {
        const int lane = r * tile();
        task.records[r] = replica_[r].template record<Record>(cell_, final_risk.lane(lane), best_risk.lane(lane), fingerprint(r));
        if (task.parameters) write_state(theta_, r, task.parameters + r * parameters);
        if (task.first_state && first_) write_state(first_, r, task.first_state + r * parameters);
        if (task.second_state && second_) write_state(second_, r, task.second_state + r * parameters);
    }
    return true;
}

template <class Real>
Pack<double> Warp<Real>::rule_risk(const Pack<Real>* rows) {
    for (std::int64_t row = 0; row < layout_.rows(); ++row) theta_double_[row] = to_double(rows[row]);
    return batch_gradient(evaluate_, final_nodes_, theta_double_, gradient_double_);
}

template <class Real>
void Warp<Real>::freeze_lane(int lane) {
    Pack<Real> chosen{};
    chosen.set_lane(lane, Real(1));
    for_parts<Real>([&](int p) { alive_[p] = both(alive_[p], equal(chosen.part[p], V{})); });
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
