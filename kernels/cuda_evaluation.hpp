// The kernels of a cell that do not train: initialize, risk, check, finish. The text before this header defines
//   struct EvaluationSpec {
//     using Real;                                // precision of the training
//     static constexpr int dimension;
//     static constexpr ActivationKind activation;
//     static constexpr LossKind loss;
//     static constexpr bool exact_risk;
//     static constexpr bool conditioned;         // the start has a condition
//     static constexpr bool holds;               // a group of parameters at its start
//     static constexpr bool averages;            // there is an average of the iterates
//     static constexpr bool on_data;             // neurons are judged by the training nodes alone, which are data points
//     static constexpr bool one_law;             // of all coordinates of the input, which is neither on a sphere nor in a ball
//     static constexpr Storage network;          // of the check's rows: Shared or Global
//     template <class V> static V target(const V (&x)[dimension]);
//     static constexpr bool has_density;         // of the input, beside what its law says
//     template <class V> static V density(const V (&x)[dimension]);   // if has_density
//   };
// Width, tile and the parameters of activation and loss are read from the arguments: cells that differ in them share a program.
// All but the target, which only exact risks need, is double: rows in registers would not fit.
#pragma once
#include "condition.hpp"
#include "cuda_risk.hpp"
#include "limrisk/trial_record.hpp"
#include "tracking.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// What evaluating needs of a warp: double copies of the parameters, sums of the same shape, the pass.
template <class Spec>
struct Evaluation {
    const Cell& cell;
    FixedDimension<Spec::dimension> layout;
    RowArena shared;
    StridedRows<double> theta, sums;
    MemoryPass<double> pass;

    template <class Real>
    LIMRISK_INLINE Evaluation(const Cell& of, const WarpPlace& place, const Piece<Real>& piece)
        : cell(of),
          layout{cell.tile.neurons_per_lane, cell.tile.lanes},
          shared(place.shared_memory<double>(shared_rows(Spec::network, Storage::Global, cell.tile, Spec::dimension,
                                                         Optimizer{OptimizerKind::Sgd, 0, 0, 0, false, false}, Average{}))),
          theta(Spec::network == Storage::Shared ? shared.take<double>(layout.rows()) : place.rows(piece, piece.theta_double)),
          sums(Spec::network == Storage::Shared ? shared.take<double>(layout.rows()) : place.rows(piece, piece.sums_double)),
          pass(shared, layout.tile, Spec::dimension) {}

    /// Risk at `parameters` under a rule; leaves them in `theta` and the gradient in `sums`.
    template <class Real>
    LIMRISK_INLINE Pack<double> risk(const NodeTable<double>& nodes, const StridedRows<Real>& parameters) {
        LIMRISK_ROLLED
        for (std::int64_t row = 0; row < layout.rows(); ++row) theta[row] = to_double(parameters[row]);
        return pass.template gradient<Spec::activation, Spec::loss, false>(
            layout, cell.activation, cell.loss, last_slot_presence<double>(layout, cell.width), nodes.count, theta, sums, {},
            [&](std::int64_t base) { load_node_rows<Spec::dimension>(nodes, base, layout.tile, pass.block); });
    }
};

template <class Spec>
LIMRISK_INLINE Layout layout_of(TileShape tile) {
    return {Spec::dimension, tile.neurons_per_lane, tile.lanes};
}

/// Sum of the squares of row(r), r < rows, in every lane of a tile.
template <class Row>
LIMRISK_INLINE double tile_squares(const Layout& layout, Row row) {
    return sum_of_squares<double>(
        layout, [&](std::int64_t r, int) { return static_cast<double>(row(r)); },
        [&](auto share) { return tile_sum(Pack<double>{{share(0)}}, layout.tile).part[0]; });
}

/// Range of the preactivation of a slot over the data points.
///   points  judged_inputs(cell)
template <class Spec, class Rows>
LIMRISK_INLINE Range<typename Spec::Real> range_on_points(const DecidingInputs<double>& points, const Rows& slot) {
    return node_range<typename Spec::Real>(points.data(), points.count, Spec::dimension, slot, 0);
}

/// Counts the states of this lane's neurons on the data points, where they are all there is, else on the box.
template <class Spec>
LIMRISK_INLINE StateCounts<typename Spec::Real> count_states(const Cell& cell, const Layout& layout,
                                                             const StridedRows<typename Spec::Real>& parameters,
                                                             typename Spec::Real last_slot_present,
                                                             const StridedRows<typename Spec::Real>& was_inactive) {
    using Real = typename Spec::Real;
    if constexpr (Spec::on_data) {
        const DecidingInputs<double> points = judged_inputs(cell);
        return count_states_by<Spec::activation, Real>(
            cell.activation, [&](const auto& slot) { return range_on_points<Spec>(points, slot); }, layout, parameters, last_slot_present,
            was_inactive, 0);
    } else {
        return count_states_on_box<Spec::activation, Real, Spec::one_law>(cell, layout, parameters, last_slot_present, was_inactive, 0);
    }
}

template <class Spec>
LIMRISK_INLINE void initialize_replicas(const InitializeArguments<typename Spec::Real>& a) {
    using Real = typename Spec::Real;
    const Cell& cell = a.cell;
    const Layout layout = layout_of<Spec>(cell.tile);
    const WarpPlace place(a.piece, layout.tile);
    if (place.idle) return;
    const auto theta = place.rows(a.piece, a.piece.theta);
    const TrialWords trials = place.trials(a.piece);
    const auto lane_number = static_cast<std::uint32_t>(lane_of_thread() & (layout.tile - 1));
    const Real last_slot_present = last_slot_presence<Real>(layout, cell.width).part[0];
    initialize_register<Real>(cell.initialization, layout, cell.seed, trials.low.part[0], trials.high.part[0], lane_number,
                              last_slot_present, theta, 0);
    if constexpr (Spec::conditioned) {
        const auto condition = [&](const auto& range_of) LIMRISK_INLINE_LAMBDA {
            condition_register<Spec::activation, Real>(cell, layout, trials.low.part[0], trials.high.part[0], lane_number,
                                                       static_cast<Real>(lane_number), last_slot_present, range_of, theta, 0);
        };
        if constexpr (Spec::on_data) {
            const DecidingInputs<double> points = judged_inputs(cell);
            condition([&](const auto& slot) { return range_on_points<Spec>(points, slot); });
        } else {
            condition([&](const auto& slot) { return box_range<Real, Spec::one_law>(cell, slot, 0); });
        }
    }
    LIMRISK_ROLLED
    for (std::int64_t row = 0; row < layout.rows(); ++row) {
        if (a.piece.first) place.rows(a.piece, a.piece.first)[row] = Pack<Real>{};
        if (a.piece.second) place.rows(a.piece, a.piece.second)[row] = Pack<Real>{};
        if (a.piece.third) place.rows(a.piece, a.piece.third)[row] = Pack<Real>{};
        if constexpr (Spec::averages) {
            place.rows(a.piece, a.piece.average)[row] = theta[row];
            place.rows(a.piece, a.piece.average_lost)[row] = Pack<Real>{};
        }
    }
    LIMRISK_ROLLED
    for (std::int64_t q = 0; q < layout.slots; ++q) place.rows(a.piece, a.piece.was_inactive)[q] = Pack<Real>{};
    if (!place.leads(layout.tile)) return;
    a.piece.replicas[place.replica] = Replica{};
    a.piece.running[place.replica] = 1;
}

/// Apart from the other kernels, since it needs the fewest registers and takes most of their time.
template <class Spec>
LIMRISK_INLINE void risk_of_replicas(const RiskArguments<typename Spec::Real>& a) {
    const WarpPlace place(a.piece, a.tile.lanes);
    if (place.idle) return;
    double* const memory = reinterpret_cast<double*>(dynamic_shared_memory()) + threadIdx.x / warp_lanes * rule_doubles(Spec::dimension);
    const WarpRisk<Spec> networks({a.tile.neurons_per_lane, a.tile.lanes}, a.activation, a.loss, place.rows(a.piece, a.parameters), memory);
    const double risk = networks.under(a.nodes);
    if (place.leads(a.tile.lanes)) a.risks[place.replica] = risk;
}

/// Neurons of this lane that are inactive on the data and not on the box.
///   was_inactive  as count_states_on_box leaves them
template <class Spec>
LIMRISK_INLINE typename Spec::Real inactive_on_nodes(const Cell& cell, const Layout& layout,
                                                     const StridedRows<typename Spec::Real>& parameters,
                                                     typename Spec::Real last_slot_present,
                                                     const StridedRows<typename Spec::Real>& was_inactive) {
    using Real = typename Spec::Real;
    constexpr int D = Spec::dimension <= 4 ? Spec::dimension : 0, N = D > 0 && is_piecewise_polynomial(Spec::activation) ? 4 : 1;
    const auto count_on = [&](const double* inputs, std::int64_t count) {
        return count_inactive_on_data<Spec::activation, Real, N, D>(cell.activation, inputs, count, layout, parameters, last_slot_present,
                                                                    was_inactive, 0);
    };
    const NodeTable<double>& nodes = judged_nodes(cell);
    if constexpr (Spec::dimension == 1) {
        const DecidingInputs<double> data(nodes.inputs, nodes.count, 1);
        return count_on(data.data(), data.count);
    } else {
        return count_on(nodes.inputs, nodes.count);
    }
}

template <class Spec>
LIMRISK_INLINE void check_replicas(const CheckArguments<typename Spec::Real, CheckRecord>& a) {
    using Real = typename Spec::Real;
    const Cell& cell = a.cell;
    const Layout layout = layout_of<Spec>(cell.tile);
    const WarpPlace place(a.piece, layout.tile);
    if (place.idle) return;
    const auto theta = place.rows(a.piece, a.piece.theta), was_inactive = place.rows(a.piece, a.piece.was_inactive);
    const auto tail_start = place.rows(a.piece, a.piece.tail_start);
    const bool all = measures_all(cell, a.index, a.checks != nullptr);
    double risk = 0, gradient = 0, training = 0;
    if (all) {
        Evaluation<Spec> evaluation(cell, place, a.piece);
        // One pass in the code serves both rules.
        const bool on_training_nodes = (a.index == cell.checks || ends_early(cell)) && !cell.fresh_samples;
        const double decay = trained_decay(cell.optimizer);
        const auto trained = [&](std::int64_t row) { return !Spec::holds || !has_row(cell.held, layout, row); };
        LIMRISK_ROLLED
        for (int rule = on_training_nodes ? 0 : 1; rule < 2; ++rule) {
            risk = evaluation.risk(rule == 0 ? cell.training_nodes_double : cell.check_nodes, theta).part[0];
            gradient = tile_squares(layout, [&](std::int64_t row) { return trained(row) ? evaluation.sums[row].part[0] : 0; });
            if (rule == 0 || !on_training_nodes)
                training = decay == 0 ? gradient : tile_squares(layout, [&](std::int64_t row) {
                    return trained(row) ? fma(decay, evaluation.theta[row].part[0], evaluation.sums[row].part[0]) : 0;
                });
        }
    } else {
        risk = a.risks[place.replica];
    }
    const double norm = tile_squares(layout, [&](std::int64_t row) { return static_cast<double>(theta[row].part[0]); });
    // Every lane keeps the book for itself, so that all know whether to copy; one writes it down.
    Replica replica = a.piece.replicas[place.replica];
    const Real last_slot_present = last_slot_presence<Real>(layout, cell.width).part[0];
    StateCounts<Real> counts = count_states<Spec>(cell, layout, theta, last_slot_present, was_inactive);
    if constexpr (!Spec::on_data) {
        const bool finite = risk <= RealTraits<double>::largest && norm <= RealTraits<double>::largest;
        if (all || replica.diverged || !finite)
            counts.inactive_on_data = inactive_on_nodes<Spec>(cell, layout, theta, last_slot_present, was_inactive);
    }
    counts.each([&](Real& number) { number = tile_sum(Pack<Real>{{number}}, layout.tile).part[0]; });
    const auto count = [](Real number) { return static_cast<std::int32_t>(number); };
    double moved = 0;
    const bool starts_window = in_window(cell, a.index) && place_in_window(cell, a.index) == 0;
    if (in_window(cell, a.index) && !starts_window)
        moved = tile_squares(layout, [&](std::int64_t row) {
            return static_cast<double>(theta[row].part[0]) - static_cast<double>(tail_start[row].part[0]);
        });
    const bool improved =
        replica.check(cell, a.index,
                      {risk, gradient, norm, training, moved, count(counts.inactive), count(counts.constant), count(counts.linear),
                       count(counts.inactive_on_data), count(counts.died), count(counts.revived), count(counts.frozen_constant)});
    warp_barrier();
    const auto copy_to = [&](Real* rows) {
        const auto to = place.rows(a.piece, rows);
        LIMRISK_ROLLED
        for (std::int64_t row = 0; row < layout.rows(); ++row) to[row] = theta[row];
    };
    if (improved) copy_to(a.piece.best);
    if (starts_window) copy_to(a.piece.tail_start);
    if (!place.leads(layout.tile)) return;
    a.piece.replicas[place.replica] = replica;
    a.piece.running[place.replica] = replica.running();
    if (a.checks) a.checks[place.replica * (cell.checks + 1) + a.index] = replica.template check_record<CheckRecord>(cell, a.index);
}

/// Accurate risk of each replica of the warp in dimension 1, one after the other by all lanes; every lane gets its own replica's.
///   scratch  [finish_scratch_doubles] of this warp
template <class Spec>
LIMRISK_INLINE double accurate_risk_of_tiles(const Cell& cell, const WarpPlace& place, const StridedRows<typename Spec::Real>& rows,
                                             double* scratch) {
    const Layout layout = layout_of<Spec>(cell.tile);
    const std::int64_t h = cell.width, own = lane_of_thread() / layout.tile;
    double* network = scratch + breakpoint_capacity(cell);
    double result = 0;
    for (int r = 0; r < warp_lanes / layout.tile; ++r) {
        warp_barrier();
        for (std::int64_t q = 0; own == r && q < layout.slots; ++q) {
            const std::int64_t i = q * layout.tile + (lane_of_thread() & (layout.tile - 1));
            for (int k = 0; i < h && k < 3; ++k) network[k * h + i] = static_cast<double>(rows[q * layout.per_slot() + k].part[0]);
        }
        const double outer_bias = lane_of_warp(static_cast<double>(rows[layout.outer_bias()].part[0]), r * layout.tile);
        const bool present = lane_of_warp(place.present ? 1.0 : 0.0, r * layout.tile) != 0;
        if (!present) continue;
        warp_barrier();
        const NetworkView view{h, network, network + h, network + 2 * h, outer_bias};
        double count = 0;
        if (lane_of_thread() == 0) count = static_cast<double>(breakpoints<Spec::activation>(cell, view, scratch));
        warp_barrier();
        const auto points = static_cast<std::int64_t>(lane_of_warp(count, 0));
        const auto target = [](const Pack<double>& x) {
            const double at[1] = {x.part[0]};
            return Pack<double>{{Spec::target(at)}};
        };
        const auto risk_with = [&](const auto& density) LIMRISK_INLINE_LAMBDA {
            return accurate_risk<Spec::activation>(cell, view, scratch, points, target, density);
        };
        double risk;
        if constexpr (Spec::has_density)
            risk = risk_with(GivenDensity{[](const Pack<double>& x) {
                const double at[1] = {x.part[0]};
                return Pack<double>{{Spec::density(at)}};
            }});
        else
            risk = risk_with(NoDensity{});
        if (own == r) result = risk;
    }
    return result;
}

/// This lane's share of its replica's fingerprint.
template <class Spec>
LIMRISK_INLINE Fingerprint fingerprint_of_lane(const Cell& cell, const WarpPlace& place, const Piece<typename Spec::Real>& piece) {
    const Layout layout = layout_of<Spec>(cell.tile);
    const std::int64_t d = layout.dimension, h = cell.width, lane = lane_of_thread() & (layout.tile - 1);
    Fingerprint fingerprint;
    std::int64_t first = 0;
    typename Spec::Real* const arrays[] = {piece.theta, piece.first, piece.second, piece.third};
    LIMRISK_ROLLED
    for (typename Spec::Real* array : arrays) {
        if (array) {
            const auto rows = place.rows(piece, array);
            const auto add = [&](std::int64_t row, std::int64_t j) {
                fingerprint.add(rows[row].part[0], static_cast<std::uint64_t>(first + j));
            };
            LIMRISK_ROLLED
            for (std::int64_t q = 0; q < layout.slots; ++q) {
                const std::int64_t i = q * layout.tile + lane;
                if (i >= h) continue;
                for (std::int64_t k = 0; k < d; ++k) add(q * layout.per_slot() + k, i * d + k);
                add(q * layout.per_slot() + d, h * d + i);
                add(q * layout.per_slot() + d + 1, h * (d + 1) + i);
            }
            if (lane == 0) add(layout.outer_bias(), h * (d + 2));
        }
        first += parameter_count(cell);
    }
    return fingerprint;
}

/// Fingerprint of a replica from its lanes' shares, in every lane of the tile.
LIMRISK_INLINE std::uint64_t tile_fingerprint(const Fingerprint& share, int tile) {
    auto low = static_cast<std::uint32_t>(share.value()), high = static_cast<std::uint32_t>(share.value() >> 32);
    for (int distance = tile / 2; distance > 0; distance /= 2) {
        low += word_across(low, distance);
        high += word_across(high, distance);
    }
    return (static_cast<std::uint64_t>(high) << 32) | low;
}

/// States of the neurons of a replica's average, in every lane of its tile; nothing else of what a check measures.
template <class Spec>
LIMRISK_INLINE CheckValues average_states(const Cell& cell, const WarpPlace& place, const Piece<typename Spec::Real>& piece) {
    using Real = typename Spec::Real;
    const Layout layout = layout_of<Spec>(cell.tile);
    const auto average = place.rows(piece, piece.average);
    const auto was_inactive = place.rows(piece, piece.was_inactive);  // nothing is compared with it any more
    const Real last_slot_present = last_slot_presence<Real>(layout, cell.width).part[0];
    StateCounts<Real> counts = count_states<Spec>(cell, layout, average, last_slot_present, was_inactive);
    if constexpr (!Spec::on_data) counts.inactive_on_data = inactive_on_nodes<Spec>(cell, layout, average, last_slot_present, was_inactive);
    counts.each([&](Real& number) { number = tile_sum(Pack<Real>{{number}}, layout.tile).part[0]; });
    CheckValues values{};
    values.inactive = static_cast<std::int32_t>(counts.inactive);
    values.constant = static_cast<std::int32_t>(counts.constant);
    values.linear = static_cast<std::int32_t>(counts.linear);
    values.inactive_on_data = static_cast<std::int32_t>(counts.inactive_on_data);
    return values;
}

/// Writes the records of all replicas. Warps take one group of replicas after the other, so that scratch is bounded by the launch.
template <class Spec>
LIMRISK_INLINE void finish_replicas(const FinishArguments<typename Spec::Real, TrialRecord>& a) {
    using Real = typename Spec::Real;
    const Cell& cell = a.cell;
    const int tile = cell.tile.lanes;
    const std::int64_t own = WarpPlace::warp_of_thread(), warps = static_cast<std::int64_t>(gridDim.x) * blockDim.x / warp_lanes;
    for (std::int64_t warp = own;; warp += warps) {
        const WarpPlace place(a.piece, tile, warp);
        if (place.idle) return;
        double final_risk = 0, best_risk = 0, average_risk = 0;
        if constexpr (Spec::exact_risk) {
            // One evaluation in the code serves all networks: the average, where there is one, comes before the two of every cell.
            LIMRISK_ROLLED
            for (int network = Spec::averages ? -1 : 0; network < 2; ++network) {
                Real* const parameters = network == 0 ? a.piece.theta : a.piece.best;
                const auto rows = place.rows(a.piece, Spec::averages && network < 0 ? a.piece.average : parameters);
                best_risk = accurate_risk_of_tiles<Spec>(cell, place, rows, a.scratch + own * finish_scratch_doubles(cell));
                if (Spec::averages && network < 0) average_risk = best_risk;
                if (network == 0) final_risk = best_risk;
            }
        } else {
            final_risk = a.final_risks[place.replica];
            best_risk = a.best_risks[place.replica];
            if constexpr (Spec::averages) average_risk = a.average_risks[place.replica];
        }
        CheckValues of_average{};
        if constexpr (Spec::averages) of_average = average_states<Spec>(cell, place, a.piece);
        const std::uint64_t fingerprint = tile_fingerprint(fingerprint_of_lane<Spec>(cell, place, a.piece), tile);
        if (!place.leads(tile)) continue;
        const Replica& replica = a.piece.replicas[place.replica];
        a.records[place.replica] = replica.template record<TrialRecord>(cell, final_risk, best_risk, fingerprint);
        if constexpr (Spec::averages) replica.add_average(a.records[place.replica], cell, average_risk, of_average);
        if constexpr (Spec::on_data)
            if (a.validation_risks)
                replica.add_validation(a.records[place.replica], a.validation_risks[place.replica], a.best_validation_risks[place.replica]);
        if constexpr (Spec::on_data && Spec::averages)
            if (a.average_validation_risks)
                replica.add_average_validation(a.records[place.replica], a.average_validation_risks[place.replica]);
    }
}

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {
using EvaluatedReal = EvaluationSpec::Real;
inline constexpr int evaluation_threads = warp_lanes * most_block_warps;
}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

LIMRISK_KERNEL(limrisk_initialize, limrisk::kernels::InitializeArguments<limrisk::kernels::EvaluatedReal>,
               limrisk::kernels::evaluation_threads) {
    limrisk::kernels::initialize_replicas<limrisk::kernels::EvaluationSpec>(arguments);
}

LIMRISK_KERNEL_RESIDENT(limrisk_risk, limrisk::kernels::RiskArguments<limrisk::kernels::EvaluatedReal>,
                        limrisk::kernels::evaluation_threads, limrisk::kernels::blocks_that_evaluate) {
    limrisk::kernels::risk_of_replicas<limrisk::kernels::EvaluationSpec>(arguments);
}

using limrisk_check_arguments = limrisk::kernels::CheckArguments<limrisk::kernels::EvaluatedReal, limrisk::CheckRecord>;
LIMRISK_KERNEL(limrisk_check, limrisk_check_arguments, limrisk::kernels::evaluation_threads) {
    limrisk::kernels::check_replicas<limrisk::kernels::EvaluationSpec>(arguments);
}

using limrisk_finish_arguments = limrisk::kernels::FinishArguments<limrisk::kernels::EvaluatedReal, limrisk::TrialRecord>;
LIMRISK_KERNEL(limrisk_finish, limrisk_finish_arguments, limrisk::kernels::evaluation_threads) {
    limrisk::kernels::finish_replicas<limrisk::kernels::EvaluationSpec>(arguments);
}
