// One allocation: each table at a multiple of 256 bytes.
#include "backend/cuda/cell_tables.hpp"

#include <fmt/format.h>

#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

/// Gathers tables of host memory, each once; addresses become known when the device's memory is.
class Staging {
public:
    /// Those of a cell, whose pointers are replaced by set_addresses().
    explicit Staging(kernels::Cell& cell) {
        add(cell.training_nodes_float, cell.dimension);
        add(cell.training_nodes_double, cell.dimension);
        add(cell.check_nodes, cell.dimension);
        add(cell.final_nodes, cell.dimension);
        add(cell.validation_nodes, cell.dimension);
        add(cell.pick_thresholds, cell.training_nodes_double.count - 1);
        add(cell.mesh, cell.mesh_count);
        add(cell.coordinates, cell.dimension);
        add(cell.input_table_float.numbers, number_count(cell.input_table_float));
        add(cell.input_table_double.numbers, number_count(cell.input_table_double));
    }

    std::size_t size() const { return size_; }
    std::vector<char> bytes() const {
        std::vector<char> all(size_);
        for (const auto& [table, place] : places_) std::memcpy(all.data() + place.start, table, place.bytes);
        return all;
    }
    void set_addresses(char* base) const {
        for (const auto& fix : fixes_) fix(base);
    }

private:
    struct Place {
        std::size_t start, bytes;
    };

    template <class T>
    void add(const T*& table, std::int64_t count) {
        if (count == 0 || !table) return;
        const Place place{(size_ + 255) / 256 * 256, static_cast<std::size_t>(count) * sizeof(T)};
        const auto [at, is_new] = places_.try_emplace(table, place);
        if (is_new) size_ = place.start + place.bytes;
        fixes_.emplace_back([&table, start = at->second.start](char* base) { table = reinterpret_cast<const T*>(base + start); });
    }
    template <class Real>
    void add(kernels::NodeTable<Real>& nodes, std::int64_t dimension) {
        add(nodes.inputs, nodes.count * dimension);
        add(nodes.targets, nodes.count);
        add(nodes.weights, nodes.count);
    }

    std::size_t size_ = 0;
    std::map<const void*, Place> places_;  // of each table: data points are the nodes of several rules
    std::vector<std::function<void(char*)>> fixes_;
};

}  // namespace

CellTables::CellTables(Device& device, Stream& stream, const kernels::Cell& cell, DeviceMemory& memory) : cell_(cell) {
    const Staging staging(cell_);
    cell_.target = cell_.density = cell_.noise_factor = {};
    if (!memory.start() || memory.bytes() < staging.size()) {
        memory = DeviceMemory();
        memory = DeviceMemory(device, staging.size());
    }
    if (!memory.start())
        throw DeviceError(fmt::format("device {} ({}) has no {} bytes of memory left for the tables of a cell", device.properties().index,
                                      device.properties().name, staging.size()));
    staging.set_addresses(memory.start());
    const std::vector<char> bytes = staging.bytes();
    stream.copy_to_device(memory.start(), bytes.data(), bytes.size());
    stream.synchronize();
}

std::size_t table_bytes(kernels::Cell cell) { return Staging(cell).size(); }

void throw_no_host_memory(std::size_t bytes) {
    throw DeviceError(fmt::format("this machine has no {} bytes of memory left that a GPU can copy to and from", bytes));
}

}  // namespace limrisk::cuda
