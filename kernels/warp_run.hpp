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
    if (cell.optimizer.kind == OptimizerKind::Nesterov) shifted_ = arena.take<Pack<Real>>(rows);
    was_inactive_ = arena.take<Pack<Real>>(layout_.slots);
    theta_double_ = arena.take<Pack<double>>(rows);
    gradient_double_ = arena.take<Pack<double>>(rows);
    const int rounds = samples_per_lane(cell.dimension);
    stack_double_ = arena.take<VecDouble>(static_cast<std::int64_t>(max_program_depth) * parts<double>);
    points_ = arena.take<double>(breakpoint_capacity(cell));
    network_ = arena.take<double>(3 * cell.width);
    tail_risks_ = arena.take<double>(static_cast<std::int64_t>(cell.tail) * warp_lanes);

    SampleBlock<Real> block;
    SampleBlock<double> block_double;
    samples_.kind = cell.fresh_samples ? BatchSource<Real>::Kind::Fresh : BatchSource<Real>::Kind::Nodes;
    samples_.count = cell.batch;
    samples_.draw = &draw_;
    samples_.step = 0;
    samples_.stack = arena.take<V>(static_cast<std::int64_t>(max_program_depth) * rounds * parts<Real>);
    plan_pass(arena, train_, block, training_nodes<Real>(cell), samples_);
    check_nodes_.kind = final_nodes_.kind = BatchSource<double>::Kind::Nodes;
    check_nodes_.count = cell.check_nodes.count;
    plan_pass(arena, evaluate_, block_double, cell.check_nodes, check_nodes_);
    final_nodes_.block = block_double;
    final_nodes_.nodes = cell.final_nodes;
    final_nodes_.count = cell.final_nodes.count;
    final_nodes_.superblocks = nullptr;
    final_nodes_.set_orders(cell.dimension, tile());
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
    const std::int64_t d = layout_.dimension;
    const Initialization& laws = cell_.initialization;
    const auto start = [](Pack<Real> x) {
        for_parts<Real>([&](int p) { x.part[p] = x.part[p] + V{}; });
        return x;
    };
    WordPack words[4];
    for (std::int64_t q = 0; q < layout_.slots; ++q) {
        const WordPack neuron = make_words([&](int i) { return static_cast<std::uint32_t>(q * tile() + (i & (tile() - 1))); });
        for (std::int64_t k = 0; k < layout_.per_slot(); ++k) {
            if (k % 4 == 0) draw_words(cell_.seed, draw_.trials, Purpose::Neuron, neuron, static_cast<std::uint32_t>(k / 4), words);
            const Law& law = k < d ? laws.inner_weight : k == d ? laws.inner_bias : laws.outer_weight;
            Pack<Real> x = start(variates<Real>(law, words[k % 4]));
            if (q + 1 == layout_.slots)
                for_parts<Real>([&](int p) { x.part[p] = select(equal(train_.last_slot_present.part[p], V{}), V{}, x.part[p]); });
            theta_[q * layout_.per_slot() + k] = x;
        }
        was_inactive_[q] = Pack<Real>{};
    }
    draw_words(cell_.seed, draw_.trials, Purpose::OuterBias, 0, WordPack{}, words);
    theta_[layout_.outer_bias()] = start(variates<Real>(laws.outer_bias, words[0]));
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
        look_ahead(cell_.optimizer, scalars, layout_.rows(), theta_, first_, shifted_);
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
        update_rows<decltype(tag)::kind>(cell_.optimizer, scalars, layout_.rows(), gradient_, alive_, theta_, first_, second_);
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
void Warp<Real>::check(std::int64_t index) {
    const int replicas = warp_lanes / tile();
    for (std::int64_t row = 0; row < layout_.rows(); ++row) theta_double_[row] = to_double(theta_[row]);
    const Pack<double> risk = batch_gradient(evaluate_, check_nodes_, theta_double_, gradient_double_);
    const Pack<double> gradient = sum_of_squares(layout_, [&](std::int64_t row) { return gradient_double_[row]; });
    const Pack<double> norm = sum_of_squares(layout_, [&](std::int64_t row) { return theta_double_[row]; });
    const StateCounts<Real> counts = count_states(cell_, layout_, theta_, train_.last_slot_present, was_inactive_);
    const bool tail = is_tail(cell_, index);
    bool improved[warp_lanes] = {}, all[warp_lanes] = {};
    for (int r = 0; r < replicas; ++r) {
        const int lane = r * tile();
        Replica& replica = replica_[r];
        const auto count = [&](const Pack<Real>& pack) { return static_cast<std::int32_t>(pack.lane(lane)); };
        const bool finite = risk.lane(lane) <= RealTraits<double>::largest && norm.lane(lane) <= RealTraits<double>::largest;
        if (!replica.diverged && !finite) {
            replica.diverged = true;
            replica.nonfinite_step = check_step(cell_, index);
            for (int i = lane; i < lane + tile(); ++i) freeze_lane(i);
        }
        replica.risk = risk.lane(lane);
        replica.gradient_norm = sqrt(gradient.lane(lane));
        replica.parameter_norm = sqrt(norm.lane(lane));
        replica.inactive = count(counts.inactive);
        replica.constant = count(counts.constant);
        replica.linear = count(counts.linear);
        replica.inactive_on_data = count(counts.inactive_on_data);
        if (index == 0) {
            replica.initial_risk = replica.risk;
            replica.inactive_initial = replica.inactive;
        } else {
            replica.died += count(counts.died);
            replica.revived += count(counts.revived);
        }
        if (replica.inactive > replica.inactive_maximum) replica.inactive_maximum = replica.inactive;
        improved[r] = index == 0 || (!replica.diverged && replica.risk < replica.best_risk);
        if (improved[r]) {
            replica.best_risk = replica.risk;
            replica.best_step = check_step(cell_, index);
        }
        if (tail) tail_risks_[r * cell_.tail + (index - (cell_.checks - cell_.tail) - 1)] = replica.risk;
        all[r] = true;
    }
    copy_rows(theta_, best_, improved);
    if (tail && index == cell_.checks - cell_.tail + 1) copy_rows(theta_, tail_start_, all);
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
    return accurate_risk(cell_, {h, network_, network_ + h, network_ + 2 * h, outer_bias}, points_, stack_double_);
}

template <class Real>
void Warp<Real>::write_state(const Pack<Real>* rows, int replica, double* out) const {
    for_coordinates(rows, replica, [&](std::int64_t j, Real value) { out[j] = static_cast<double>(value); });
}

template <class Real>
template <class Record>
void Warp<Real>::write_record(int replica, double final_risk, double best_risk, Record& record) {
    constexpr double infinity = RealTraits<double>::infinity;
    const auto finite_or_infinity = [](double x) { return x <= RealTraits<double>::largest ? x : infinity; };
    const Replica& r = replica_[replica];
    const double* tail = tail_risks_ + replica * cell_.tail;
    double minimum = tail[0], maximum = tail[0], sum = 0;
    for (int i = 0; i < cell_.tail; ++i) {
        minimum = tail[i] < minimum ? tail[i] : minimum;
        maximum = tail[i] > maximum ? tail[i] : maximum;
        sum += tail[i];
    }
    const double mean = sum / cell_.tail, displacement = sqrt(displacement_.lane(replica * tile()));
    const bool diverged = r.diverged;
    using Verdict = decltype(record.verdict);
    record.verdict = static_cast<Verdict>(
        diverged ? 3 : tail_verdict(tail, cell_.tail, minimum, mean, maximum, displacement, r.parameter_norm, cell_.tolerance));
    record.nonfinite_step = r.nonfinite_step;
    record.initial_risk = finite_or_infinity(r.initial_risk);
    record.final_risk = diverged ? infinity : finite_or_infinity(final_risk);
    record.best_risk = finite_or_infinity(best_risk);
    record.best_step = r.best_step;
    record.tail_minimum = diverged ? infinity : finite_or_infinity(minimum);
    record.tail_mean = diverged ? infinity : finite_or_infinity(mean);
    record.tail_maximum = diverged ? infinity : finite_or_infinity(maximum);
    record.gradient_norm = diverged ? infinity : finite_or_infinity(r.gradient_norm);
    record.parameter_norm = finite_or_infinity(r.parameter_norm);
    record.displacement = diverged ? infinity : finite_or_infinity(displacement);
    record.inactive_initial = r.inactive_initial;
    record.inactive_final = r.inactive;
    record.inactive_maximum = r.inactive_maximum;
    record.died = r.died;
    record.revived = r.revived;
    record.inactive_on_data = r.inactive_on_data;
    record.constant = r.constant;
    record.linear = r.linear;
    record.kinked = static_cast<std::int32_t>(cell_.width) - r.inactive - r.constant - r.linear;
    Fingerprint fingerprint;
    std::uint64_t array = 0;
    for (const Pack<Real>* rows :
         {static_cast<const Pack<Real>*>(theta_), static_cast<const Pack<Real>*>(first_), static_cast<const Pack<Real>*>(second_)}) {
        if (rows)
            for_coordinates(rows, replica, [&](std::int64_t j, Real value) {
                fingerprint.add(value, static_cast<std::uint64_t>(j) +
                                           array * static_cast<std::uint64_t>(parameter_count(cell_.width, cell_.dimension)));
            });
        ++array;
    }
    record.fingerprint = fingerprint.value();
}

template <class Real>
template <class Record, class Check>
bool Warp<Real>::run(const WarpTask<Record, Check>& task) {
    const std::int64_t parameters = parameter_count(cell_.width, cell_.dimension);
    initialize();
    for (int r = 0; task.initial_parameters && r < task.replicas; ++r) write_state(theta_, r, task.initial_parameters + r * parameters);
    for (std::int64_t index = 0; index <= cell_.checks; ++index) {
        if (index > 0 && !train(check_step(cell_, index - 1), check_step(cell_, index), task.advance, task.context)) return false;
        check(index);
        for (int r = 0; task.checks && r < task.replicas; ++r) {
            const Replica& replica = replica_[r];
            const auto finite = [](double x) { return x <= RealTraits<double>::largest ? x : RealTraits<double>::infinity; };
            task.checks[r * (cell_.checks + 1) + index] = {
                check_step(cell_, index),
                finite(replica.risk),
                finite(replica.gradient_norm),
                finite(replica.parameter_norm),
                replica.inactive,
                replica.constant,
                replica.linear,
                static_cast<std::int32_t>(cell_.width) - replica.inactive - replica.constant - replica.linear,
                replica.inactive_on_data};
        }
    }
    displacement_ = sum_of_squares(layout_, [&](std::int64_t row) {
        Pack<double> moved = to_double(theta_[row]);
        const Pack<double> from = to_double(tail_start_[row]);
        for_parts<double>([&](int p) { moved.part[p] = moved.part[p] - from.part[p]; });
        return moved;
    });
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
        write_record(r, final_risk.lane(r * tile()), best_risk.lane(r * tile()), task.records[r]);
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
