// The life of the replicas of one warp: initialize, train between checks, track, and write their records.
// On the CPU one call runs a warp from its first step to its last; all memory comes from an arena that the caller owns.
#pragma once
#include "accurate_risk.hpp"
#include "arena.hpp"
#include "batch.hpp"
#include "initialize.hpp"
#include "replica.hpp"
#include "schedule.hpp"
#include "task.hpp"
#include "tracking.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {

template <class Real>
class Warp {
public:
    /// Lays out the memory; with a null arena only `bytes()` is meaningful.
    Warp(const Cell& cell, std::int64_t first_trial, char* memory);
    std::size_t bytes() const { return bytes_; }

    /// Runs all steps. False if the task was given up.
    template <class Record, class Check>
    bool run(const WarpTask<Record, Check>& task);

private:
    using V = Vec<Real>;
    static constexpr std::size_t preload_limit = 4u << 20;

    int tile() const { return layout_.tile; }
    template <class R>
    void plan_pass(Arena& arena, BatchContext<R>& context, SampleBlock<R>& block, const NodeTable<R>& nodes, BatchSource<R>& source);
    void initialize();
    bool train(std::int64_t from, std::int64_t to, bool (*advance)(void*, std::int64_t), void* callback);
    void train_step(std::int64_t step, const StepScalars& scalars);
    struct Measurement {
        Pack<double> risk, gradient_square, parameter_square, training_square, moved_square;
        StateCounts<Real> counts;
        CheckValues values(int lane) const;
    };
    Measurement measure(Pack<Real>* was_inactive);
    void check(std::int64_t index);
    template <class Record, class Check>
    void snapshot(const WarpTask<Record, Check>& task, std::int64_t number);
    void copy_rows(const Pack<Real>* from, Pack<Real>* to, const bool* replicas);
    double accurate_risk_of(const Pack<Real>* rows, int replica);
    Pack<double> rule_risk(const Pack<Real>* rows);
    Pack<double> gradient_square() const;
    void freeze_lane(int lane);
    template <class Body>
    void for_coordinates(const Pack<Real>* rows, int replica, Body body) const;
    std::uint64_t fingerprint(int replica) const;
    void write_state(const Pack<Real>* rows, int replica, double* out) const;

    const Cell& cell_;
    Layout layout_;
    Draw draw_;
    Schedule schedule_;
    BatchContext<Real> train_;
    BatchContext<double> evaluate_;
    BatchSource<Real> samples_;
    BatchSource<double> check_nodes_, final_nodes_, training_nodes_;
    Pack<Real>*theta_, *gradient_, *first_ = nullptr, *second_ = nullptr, *shifted_ = nullptr, *best_, *tail_start_;
    Pack<Real>*was_inactive_, *unused_inactive_;  ///< [slots]; the second: where a snapshot writes, who does not look back
    Pack<double>*theta_double_, *gradient_double_;
    VecDouble* stack_double_;
    double *points_, *network_;
    MaskOf<V> alive_[parts<Real>];
    Replica replica_[warp_lanes];
    std::size_t bytes_;
};

}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

#include "warp_run.hpp"
