// The tables of a cell in the memory of a device.
#pragma once
#include "backend/cuda/device_memory.hpp"
#include "kernels/cell.hpp"

namespace limrisk::cuda {

/// Nodes, data points, mesh and laws of the coordinates of a cell, copied to the device, and the cell that views them there.
class CellTables {
public:
    /// Copies through `stream` to `memory`, which is allocated anew if it is too small, and waits. Nothing else may use `memory` for the
    /// life of the tables. @throws DeviceError if the tables do not fit.
    CellTables(Device& device, Stream& stream, const kernels::Cell& cell, DeviceMemory& memory);

    /// The cell with device pointers; its target program is null, since kernels have it compiled in.
    const kernels::Cell& cell() const { return cell_; }

private:
    kernels::Cell cell_;
};

/// Bytes of these tables.
std::size_t table_bytes(kernels::Cell cell);

}  // namespace limrisk::cuda
