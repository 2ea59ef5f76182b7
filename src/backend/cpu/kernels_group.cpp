// Instantiates the training of one instruction set: compiled once per set, with its flags, LIMRISK_LANES and LIMRISK_VECTOR_BYTES.
// Nothing from the standard library may be instantiated here: the linker could pick such code for an older processor.
#include "backend/cpu/kernel_table.hpp"
#include "kernels/chunk_training.hpp"

namespace limrisk::kernels {
inline namespace LIMRISK_LANES {
extern template Vec<float> batch_risk(const GroupPass<float>&, GroupSamples<float>&, std::int64_t, RegisterRows<float>,
                                      RegisterRows<float>);
extern template Vec<double> batch_risk(const GroupPass<double>&, GroupSamples<double>&, std::int64_t, RegisterRows<double>,
                                       RegisterRows<double>);
}  // namespace LIMRISK_LANES
}  // namespace limrisk::kernels

namespace limrisk::cpu {
namespace {

/// Calls `body` with a real of the cell's precision. LIMRISK_FLOAT32_ONLY (kernels with planted mistakes) leaves float64 out.
template <class Body>
auto with_precision(const kernels::Cell& cell, Body body) {
#ifndef LIMRISK_FLOAT32_ONLY
    if (cell.precision == kernels::Precision::Float64) return body(double{});
#endif
    (void)cell;
    return body(float{});
}

int group_replicas(const kernels::Cell& cell, std::int64_t left) {
    return with_precision(cell, [&](auto real) { return kernels::group_replicas<decltype(real)>(cell, left); });
}

std::int64_t chunk_trials(const kernels::Cell& cell, std::int64_t left) {
    return with_precision(cell, [&](auto real) { return kernels::chunk_trials<decltype(real)>(cell, left); });
}

std::size_t arena_bytes(const kernels::Cell& cell, std::int64_t trials) {
    return with_precision(cell, [&](auto real) { return kernels::ChunkTraining<decltype(real)>(cell, trials, nullptr).bytes(); });
}

bool run_chunk(const ChunkTask& task) {
    return with_precision(*task.cell,
                          [&](auto real) { return kernels::ChunkTraining<decltype(real)>(*task.cell, task.trials, task.arena).run(task); });
}

std::int64_t checkpoint_bytes(const kernels::Cell& cell, std::int64_t trials) {
    return with_precision(cell,
                          [&](auto real) { return kernels::ChunkTraining<decltype(real)>(cell, trials, nullptr).checkpoint_bytes(); });
}

bool checkpoint_fits(const kernels::Cell& cell, std::int64_t trials, const char* checkpoint, std::int64_t bytes) {
    return with_precision(cell,
                          [&](auto real) { return kernels::ChunkTraining<decltype(real)>(cell, trials, nullptr).fits(checkpoint, bytes); });
}

}  // namespace

extern const KernelTable LIMRISK_KERNEL_TABLE;
const KernelTable LIMRISK_KERNEL_TABLE{group_replicas, chunk_trials, arena_bytes, run_chunk, checkpoint_bytes, checkpoint_fits};

}  // namespace limrisk::cpu
