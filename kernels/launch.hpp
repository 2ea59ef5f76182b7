// What the host hands to the kernels of a piece of work: plain structs, the same for host and device. All pointers are device memory.
#pragma once
#include "accurate_risk.hpp"
#include "optimizer.hpp"
#include "picks.hpp"
#include "replica.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

/// Replicas that train together, their state, and which of them still run.
/// State: row r of replica i's lane j at [r * lanes + i * tile + j], so that a warp reads whole lines. The last 32 lanes belong to no
/// replica: a tile without one works there.
template <class Real>
struct Piece {
    Real *theta, *first, *second, *third;  ///< [rows][lanes]; states that the optimizer lacks are null
    Real *best, *tail_start;               ///< [rows][lanes] parameters of the best check, and of the first of the window
    Real* was_inactive;                    ///< [slots][lanes] 1 or 0
    Real *gradient, *shifted;              ///< [rows][lanes] scratch, if the train kernel keeps its rows in global memory
    double* totals;                        ///< [warps][rows][32] scratch, if a batch has several blocks
    double *theta_double, *sums_double;    ///< [rows][lanes] scratch, if the check kernel keeps its rows in global memory
    Replica* replicas;                     ///< [count]
    std::uint8_t* running;                 ///< [count] 0 once a replica has diverged or ended: nothing of it will change
    const std::int32_t* list;              ///< replicas that a kernel works on, ascending; null: all
    const std::int64_t* list_count;        ///< their number
    std::int64_t count, lanes;             ///< replicas; lanes of a row
    std::int64_t first_trial;
    Real *average, *average_lost;  ///< [rows][lanes] average of the iterates, and what its rounding has lost; null: there is none
};

template <class Real>
struct InitializeArguments {
    Piece<Real> piece;
    Cell cell;  ///< its tables are in device memory
};

/// Steps from + 1 .. to.
template <class Real>
struct TrainArguments {
    Piece<Real> piece;
    std::uint64_t seed;
    std::int64_t from, to;
    const StepScalars* scalars;  ///< [to - from]
    NodeTable<Real> nodes;       ///< training nodes, if the samples are not fresh
    QuantileTable<Real> table;   ///< of the input, if its law has one
    PickTables picks{};          ///< if a step uses some of the nodes
};

/// The risk of the networks `parameters` under a rule in device memory.
template <class Real>
struct RiskArguments {
    Piece<Real> piece;
    NodeTable<double> nodes;
    Activation activation;
    Loss loss;
    TileShape tile;
    Real* parameters;  ///< [rows][lanes] of the piece
    double* risks;     ///< [count]
};

/// Check number `index` of the cell, whose tables are in device memory.
template <class Real, class CheckRecord>
struct CheckArguments {
    Piece<Real> piece;
    Cell cell;
    std::int64_t index;
    CheckRecord* checks;  ///< [count][checks + 1], or null
    const double* risks;  ///< [count] under the rule of the checks, if the check does not measure all
};

/// Whether check number `index` measures gradients and inactivity on the data: the last one, and all where trials may end early or every
/// check is recorded. Others measure the risk alone, and inactivity on the data of trials that have diverged.
constexpr bool measures_all(const Cell& cell, std::int64_t index, bool recorded) {
    return recorded || index == cell.checks || ends_early(cell);
}

/// Doubles of scratch that a warp needs to find the accurate risk of one network: breakpoints and the network.
constexpr std::int64_t finish_scratch_doubles(const Cell& cell) { return cell.exact_risk ? breakpoint_capacity(cell) + 3 * cell.width : 0; }

template <class Real, class TrialRecord>
struct FinishArguments {
    Piece<Real> piece;
    Cell cell;
    double* scratch;                         ///< [warps of the launch][finish_scratch_doubles]
    const double *final_risks, *best_risks;  ///< [count] each; unless exact_risk
    TrialRecord* records;                    ///< [count]
    const double* average_risks;             ///< [count] likewise, where there is an average
    /// [count] each: of the last and the best iterate on the points that are held out; null: there are none
    const double *validation_risks = nullptr, *best_validation_risks = nullptr;
    const double* average_validation_risks = nullptr;  ///< [count] likewise, where there is an average, too
};

// Host and device must lay these out alike; both compile this line.
static_assert(sizeof(Cell) == 1128 && sizeof(Replica) == 224 && sizeof(Piece<float>) == 168 && sizeof(StepScalars) == 32);

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels
