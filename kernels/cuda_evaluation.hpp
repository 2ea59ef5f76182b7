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
//     static constexpr bool skip;                // the network has a skip connection
//     static constexpr bool on_data;             // neurons are judged by the training nodes alone, which are data points
//     static constexpr bool one_law;             // of all coordinates of the input, which is neither on a sphere nor in a ball
//     static constexpr Storage network;          // of the check's rows: Shared or Global
//     static constexpr bool own_points;          // every replica has nodes of its own; without it all have the same
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

/// What measure() asks of a warp: the risk under a rule, in double copies of the parameters and sums of the same shape.
template <class Spec>
struct Evaluation {
    using Real = typename Spec::Real;
    static constexpr bool holds = Spec::holds;
    const Cell& cell;
    FixedDimension<Spec::dimension, Spec::skip> layout;
    RowArena shared;
    StridedRows<double> copies, sums;
    MemoryPass<double> pass;
    StridedRows<Real> parameters, tail_start;
    const double* risks;
    std::int64_t replica;

    LIMRISK_INLINE Evaluation(const WarpPlace& place, const CheckArguments<Real, CheckRecord>& a)
        : cell(a.cell),
          layout{cell.tile.neurons_per_lane, cell.tile.lanes},
          shared(place.shared_memory<double>(shared_rows(Spec::network, Storage::Global, cell.tile, Spec::dimension, Spec::skip,
                                                         Optimizer{OptimizerKind::Sgd, 0, 0, 0, false, false}, Average{}))),
          copies(Spec::network == Storage::Shared ? shared.take<double>(layout.rows()) : place.rows(a.piece, a.piece.theta_double)),
          sums(Spec::network == Storage::Shared ? shared.take<double>(layout.rows()) : place.rows(a.piece, a.piece.sums_double)),
          pass(shared, layout.tile, Spec::dimension),
          parameters(place.rows(a.piece, a.piece.theta)),
          tail_start(place.rows(a.piece, a.piece.tail_start)),
          risks(a.risks),
          replica(place.replica) {}

    LIMRISK_INLINE double risk(bool on_training_nodes) {
        const NodeTable<double>& nodes = nodes_of_replica<Spec>(on_training_nodes ? cell.training_nodes_double : cell.check_nodes, replica);
        LIMRISK_ROLLED
        for (std::int64_t row = 0; row < layout.rows(); ++row) copies[row] = to_double(parameters[row]);
        return pass
            .template gradient<Spec::activation, Spec::loss, false>(
                layout, cell.activation, cell.loss, last_slot_presence<double>(layout, cell.width), nodes.count, copies, sums, {},
                [&](std::int64_t base) { load_node_rows<Spec::dimension>(nodes, base, layout.tile, pass.block); })
            .part[0];
    }
    LIMRISK_INLINE double risk_alone() const { return risks[replica]; }
    LIMRISK_INLINE double theta(std::int64_t row, int) const { return static_cast<double>(parameters[row].part[0]); }
    LIMRISK_INLINE double gradient(std::int64_t row, int) const { return sums[row].part[0]; }
    LIMRISK_INLINE double moved(std::int64_t row, int) const { return theta(row, 0) - static_cast<double>(tail_start[row].part[0]); }
};

template <class Spec>
using LayoutOf = Layout<Spec::skip ? Spec::dimension : 0>;

template <class Spec>
LIMRISK_INLINE LayoutOf<Spec> layout_of(TileShape tile) {
    return {Spec::dimension, tile.neurons_per_lane, tile.lanes};
}

/// with_judged_range of a replica, on its own nodes if it has some.
template <class Spec, class Body>
LIMRISK_INLINE void with_range_of_replica(const Cell& cell, const WarpPlace& place, const LayoutOf<Spec>& layout, const Body& body) {
    using Real = typename Spec::Real;
    if constexpr (has_own_points<Spec>()) {
        const NodeTable<double> nodes = nodes_of_replica<Spec>(judged_nodes(cell), place.replica);
        const DecidingInputs<double> data(nodes.inputs, nodes.count, Spec::dimension);
        body(0, [&](const auto& slot) { return node_range<Real>(data.data(), data.count, Spec::dimension, slot, 0); });
    } else {
        with_judged_range<Real, Spec::one_law>(cell, Spec::on_data, layout, body);
    }
}

template <class Spec>
LIMRISK_INLINE void initialize_replicas(const InitializeArguments<typename Spec::Real>& a) {
    using Real = typename Spec::Real;
    const Cell& cell = a.cell;
    const LayoutOf<Spec> layout = layout_of<Spec>(cell.tile);
    const WarpPlace place(a.piece, layout.tile);
    if (place.idle) return;
    const auto theta = place.rows(a.piece, a.piece.theta);
    const TrialWords trials = place.trials(a.piece);
    const auto lane_number = static_cast<std::uint32_t>(lane_of_thread() & (layout.tile - 1));
    const Real last_slot_present = last_slot_presence<Real>(layout, cell.width).part[0];
    initialize_register<Real>(cell.initialization, layout, cell.seed, trials.low.part[0], trials.high.part[0], lane_number,
                              last_slot_present, theta, 0);
    if constexpr (Spec::conditioned) {
        with_judged_range<Real, Spec::one_law>(cell, Spec::on_data, layout, [&](int, const auto& range_of) LIMRISK_INLINE_LAMBDA {
            condition_register<Spec::activation, Real>(cell, layout, trials.low.part[0], trials.high.part[0], lane_number,
                                                       static_cast<Real>(lane_number), last_slot_present, range_of, theta, 0);
        });
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
    const double risk = networks.under(nodes_of_replica<Spec>(a.nodes, place.replica));
    if (place.leads(a.tile.lanes)) a.risks[place.replica] = risk;
}

/// Neurons of this lane that are inactive on the data and not on the box.
///   was_inactive  as count_states_by leaves them
template <class Spec, class Rows>
LIMRISK_INLINE typename Spec::Real inactive_on_nodes(const Cell& cell, const LayoutOf<Spec>& layout, const Rows& parameters,
                                                     typename Spec::Real last_slot_present, const Rows& was_inactive) {
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

/// States of the neurons of a replica, in every lane of its tile.
///   on_data  whether those that are inactive on the data alone are asked for
template <class Spec, class Rows>
LIMRISK_INLINE StateCounts<std::int32_t> states_in_tile(const Cell& cell, const LayoutOf<Spec>& layout, const WarpPlace& place,
                                                        const Rows& parameters, const Rows& was_inactive, bool on_data) {
    using Real = typename Spec::Real;
    const Real last_slot_present = last_slot_presence<Real>(layout, cell.width).part[0];
    StateCounts<Real> counts{};
    with_range_of_replica<Spec>(cell, place, layout, [&](int, const auto& range_of) LIMRISK_INLINE_LAMBDA {
        counts = count_states_by<Spec::activation, Real>(cell.activation, range_of, layout, parameters, last_slot_present, was_inactive, 0);
    });
    if (!Spec::on_data && on_data)
        counts.inactive_on_data = inactive_on_nodes<Spec>(cell, layout, parameters, last_slot_present, was_inactive);
    return counts.one([&](Real& number) { return tile_sum(Pack<Real>{{number}}, layout.tile).part[0]; });
}

template <class Spec>
LIMRISK_INLINE void check_replicas(const CheckArguments<typename Spec::Real, CheckRecord>& a) {
    using Real = typename Spec::Real;
    const Cell& cell = a.cell;
    const LayoutOf<Spec> layout = layout_of<Spec>(cell.tile);
    const WarpPlace place(a.piece, layout.tile);
    if (place.idle) return;
    const auto theta = place.rows(a.piece, a.piece.theta), was_inactive = place.rows(a.piece, a.piece.was_inactive);
    const bool all = measures_all(cell, a.index, a.checks != nullptr), starts = starts_window(cell, a.index);
    Evaluation<Spec> evaluation(place, a);
    const Measures<double> measures =
        measure<double>(cell, layout, all, a.index == cell.checks || ends_early(cell), in_window(cell, a.index) && !starts, evaluation);
    // Every lane keeps the book for itself, so that all know whether to copy; one writes it down.
    Replica replica = a.piece.replicas[place.replica];
    const auto states = states_in_tile<Spec>(cell, layout, place, theta, was_inactive, all || replica.diverges_by(measures));
    const bool improved = replica.check(cell, a.index, {measures, states});
    warp_barrier();
    const auto copy_to = [&](Real* rows) {
        const auto to = place.rows(a.piece, rows);
        LIMRISK_ROLLED
        for (std::int64_t row = 0; row < layout.rows(); ++row) to[row] = theta[row];
    };
    if (improved) copy_to(a.piece.best);
    if (starts) copy_to(a.piece.tail_start);
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
    const LayoutOf<Spec> layout = layout_of<Spec>(cell.tile);
    const std::int64_t h = cell.width, own = lane_of_thread() / layout.tile;
    double* network = scratch + breakpoint_capacity(cell);
    double result = 0;
    for (int r = 0; r < warp_lanes / layout.tile; ++r) {
        warp_barrier();
        if (own == r)
            for_coordinates_of_lane(layout, h, lane_of_thread() & (layout.tile - 1), [&](std::int64_t row, std::int64_t j) {
                if (j < 3 * h) network[j] = static_cast<double>(rows[row].part[0]);
            });
        const double outer_bias = lane_of_warp(static_cast<double>(rows[layout.outer_bias()].part[0]), r * layout.tile);
        double skip_weight = 0;
        if constexpr (Spec::skip) skip_weight = lane_of_warp(static_cast<double>(rows[layout.outer_bias() + 1].part[0]), r * layout.tile);
        const bool present = lane_of_warp(place.present ? 1.0 : 0.0, r * layout.tile) != 0;
        if (!present) continue;
        warp_barrier();
        using View = typename ChooseType<Spec::skip, SkipNetworkView, NetworkView>::Type;
        View view{h, network, network + h, network + 2 * h, outer_bias};
        if constexpr (Spec::skip) view.skip = true, view.skip_weight = skip_weight;
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
    const LayoutOf<Spec> layout = layout_of<Spec>(cell.tile);
    Fingerprint fingerprint;
    std::int64_t first = 0;
    typename Spec::Real* const arrays[] = {piece.theta, piece.first, piece.second, piece.third};
    LIMRISK_ROLLED
    for (typename Spec::Real* array : arrays) {
        if (array) {
            const auto rows = place.rows(piece, array);
            for_coordinates_of_lane(layout, cell.width, lane_of_thread() & (layout.tile - 1), [&](std::int64_t row, std::int64_t j) {
                fingerprint.add(rows[row].part[0], static_cast<std::uint64_t>(first + j));
            });
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
        FinalValues values{};
        if constexpr (Spec::exact_risk) {
            // One evaluation in the code serves all networks: the average, where there is one, comes before the two of every cell.
            LIMRISK_ROLLED
            for (int network = Spec::averages ? -1 : 0; network < 2; ++network) {
                Real* const parameters = network == 0 ? a.piece.theta : a.piece.best;
                const auto rows = place.rows(a.piece, Spec::averages && network < 0 ? a.piece.average : parameters);
                values.best_risk = accurate_risk_of_tiles<Spec>(cell, place, rows, a.scratch + own * finish_scratch_doubles(cell));
                if (Spec::averages && network < 0) values.average_risk = values.best_risk;
                if (network == 0) values.final_risk = values.best_risk;
            }
        } else {
            values.final_risk = a.final_risks[place.replica];
            values.best_risk = a.best_risks[place.replica];
            if constexpr (Spec::averages) values.average_risk = a.average_risks[place.replica];
        }
        if constexpr (Spec::averages)  // nothing is compared with was_inactive any more
            values.of_average = states_in_tile<Spec>(cell, layout_of<Spec>(cell.tile), place, place.rows(a.piece, a.piece.average),
                                                     place.rows(a.piece, a.piece.was_inactive), true);
        values.fingerprint = tile_fingerprint(fingerprint_of_lane<Spec>(cell, place, a.piece), tile);
        if (!place.leads(tile)) continue;
        const bool validates = Spec::on_data && a.validation_risks;
        if (validates) {
            values.validation_risk = a.validation_risks[place.replica];
            values.best_validation_risk = a.best_validation_risks[place.replica];
            if constexpr (Spec::averages) values.average_validation_risk = a.average_validation_risks[place.replica];
        }
        a.records[place.replica] = a.piece.replicas[place.replica].template record<TrialRecord>(cell, values, Spec::averages, validates);
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
