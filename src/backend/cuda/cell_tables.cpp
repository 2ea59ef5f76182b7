// One allocation: each table at a multiple of 256 bytes.
#include "backend/cuda/cell_tables.hpp"

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

/// Gathers tables in host memory; addresses become known when the device's memory is.
class Staging {
public:
    template <class T>
    void add(const T*& table, std::int64_t count) {
        if (count == 0 || !table) return;
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T), start = (bytes_.size() + 255) / 256 * 256;
        bytes_.resize(start + bytes);
        std::memcpy(bytes_.data() + start, table, bytes);
        fixes_.push_back([&table, start](char* base) { table = reinterpret_cast<const T*>(base + start); });
    }
    template <class Real>
    void add(kernels::NodeTable<Real>& nodes, std::int64_t dimension) {
        add(nodes.inputs, nodes.count * dimension);
        add(nodes.targets, nodes.count);
        add(nodes.weights, nodes.count);
    }
    const std::vector<char>& bytes() const { return bytes_; }
    void set_addresses(char* base) const {
        for (const auto& fix : fixes_) fix(base);
    }

private:
    std::vector<char> bytes_;
    std::vector<std::function<void(char*)>> fixes_;
};

}  // namespace

CellTables::CellTables(Device& device, Stream& stream, const kernels::Cell& cell, DeviceMemory& memory) : cell_(cell) {
    Staging staging;
    staging.add(cell_.training_nodes_float, cell.dimension);
    staging.add(cell_.training_nodes_double, cell.dimension);
    staging.add(cell_.check_nodes, cell.dimension);
    staging.add(cell_.final_nodes, cell.dimension);
    staging.add(cell_.mesh, cell.mesh_count);
    staging.add(cell_.coordinates, cell.dimension);
    staging.add(cell_.input_table_float.numbers, number_count(cell.input_table_float));
    staging.add(cell_.input_table_double.numbers, number_count(cell.input_table_double));
    cell_.target = cell_.density = cell_.noise_factor = {};
    if (!memory.start() || memory.bytes() < staging.bytes().size()) {
        memory = DeviceMemory();
        memory = DeviceMemory(device, staging.bytes().size());
    }
    if (!memory.start())
        throw DeviceError(fmt::format("device {} ({}) has no {} bytes of memory left for the tables of a cell", device.properties().index,
                                      device.properties().name, staging.bytes().size()));
    staging.set_addresses(memory.start());
    stream.copy_to_device(memory.start(), staging.bytes().data(), staging.bytes().size());
    stream.synchronize();
}

void throw_no_host_memory(std::size_t bytes) {
    throw DeviceError(fmt::format("this machine has no {} bytes of memory left that a GPU can copy to and from", bytes));
}

}  // namespace limrisk::cuda
