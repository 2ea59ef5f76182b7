// Cells whose parameters a device keeps in a place that is asked for.
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "backend/cell_plan.hpp"
#include "backend/cuda/kernel_plan.hpp"
#include "emulation.hpp"
#include "equality/random_cells.hpp"
#include "limrisk/error.hpp"

namespace limrisk::test {

using kernels::Storage;

/// A cell on a device that keeps its parameters where it is to keep them.
struct PlacedCell {
    CellConfig config;
    int architecture;
    std::size_t shared_bytes;  ///< of a block

    cuda::CellKernelPlan plan() const { return cuda::plan_kernels(CellPlan(config).cell(), shared_bytes, architecture); }
    std::shared_ptr<EmulatedRuntime> runtime(int multiprocessors = 0) const {
        cuda::DeviceProperties properties = emulated_device(0);
        properties.compute_capability = architecture;
        properties.shared_bytes_per_block = shared_bytes;
        if (multiprocessors > 0) properties.multiprocessors = multiprocessors;
        EmulatedRuntimeOptions options;
        options.devices = {properties};
        return std::make_shared<EmulatedRuntime>(options);
    }
    bool is_placed(Storage train, Storage evaluate) const {
        try {
            const cuda::CellKernelPlan found = plan();
            return found.train.network == train && found.evaluate.network == evaluate;
        } catch (const DeviceError&) {
            return false;  // too little for anything
        }
    }
};

inline constexpr std::size_t all_shared = 227 << 10;

/// With the first width of a few and the most shared memory for which the kernels keep the parameters there; none where no width does.
inline std::optional<PlacedCell> place(CellConfig config, int architecture, Storage train, Storage evaluate) {
    for (const std::int64_t width : {5, 70, 140, 300, 600, 1000, 1}) {
        config.width = width;
        for (std::size_t bytes = all_shared; bytes > 4096; bytes -= 1024)
            if (PlacedCell cell{config, architecture, bytes}; cell.is_placed(train, evaluate)) return cell;
    }
    return std::nullopt;
}

/// A cell on data points for every sampling, precision and storage, in dimensions 1 to 5; with weights and without, with points that are
/// held out, an average, a condition on the start, and trials that end early.
std::vector<PlacedCell> placed_data_cells(int architecture);

/// The same on points that every trial has for itself: drawn anew and used in every sampling but by epochs, or chosen from given ones.
std::vector<PlacedCell> placed_own_point_cells(int architecture);

/// Networks with a skip connection, with fresh samples, nodes and data points, for every precision and storage, in dimensions 1 to 5; all
/// or some groups of parameters trained, several losses, an average, and trials that end early.
std::vector<PlacedCell> placed_skip_cells(int architecture);

}  // namespace limrisk::test
