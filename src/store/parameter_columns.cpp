// See parameter_columns.hpp.
#include "store/parameter_columns.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/cell.hpp"
#include "store/block_columns.hpp"

namespace limrisk {
namespace {

/// Of a kind of a block: SQLite holds all of a row in memory, and so do the workers.
constexpr std::int64_t most_block_bytes = std::int64_t{1} << 23;

template <class Real>
void append(std::string& column, std::span<const double> numbers) {
    for (const double number : numbers) {
        const Real value = number == number ? static_cast<Real>(number) : std::numeric_limits<Real>::quiet_NaN();
        column.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
}

template <class Real>
bool finite(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(sizeof(Real))) {
        Real value;
        std::memcpy(&value, bytes.data(), sizeof value);
        if (!std::isfinite(value)) return false;
    }
    return true;
}

}  // namespace

std::array<std::int64_t, parameter_groups> parameter_counts(const CellConfig& cell) {
    return {cell.width * cell.input.dimension, cell.width, cell.width, 1 + (cell.skip ? cell.input.dimension : 0)};
}

ParameterColumns pack_parameters(const CellConfig& cell, std::span<const double> parameters, std::int64_t count) {
    const auto counts = parameter_counts(cell);
    ParameterColumns columns;
    for (std::size_t group = 0; group < parameter_groups; ++group)
        columns[group].reserve(static_cast<std::size_t>(counts[group] * count) * parameter_size(cell));
    for (std::int64_t trial = 0; trial < count; ++trial)
        for (std::size_t group = 0; group < parameter_groups; ++group) {
            const auto numbers = parameters.first(static_cast<std::size_t>(counts[group]));
            parameters = parameters.subspan(numbers.size());
            if (cell.precision == kernels::Precision::Float32)
                append<float>(columns[group], numbers);
            else
                append<double>(columns[group], numbers);
        }
    return columns;
}

ParameterColumns cut_parameters(const CellConfig& cell, const ParameterColumns& columns, std::int64_t first, std::int64_t count) {
    const auto counts = parameter_counts(cell);
    ParameterColumns cut;
    for (std::size_t group = 0; group < parameter_groups; ++group) {
        const std::size_t bytes = static_cast<std::size_t>(counts[group]) * parameter_size(cell);
        if (!columns[group].empty())
            cut[group] = columns[group].substr(static_cast<std::size_t>(first) * bytes, static_cast<std::size_t>(count) * bytes);
    }
    return cut;
}

bool all_finite(const CellConfig& cell, const ParameterColumns& columns, std::int64_t first, std::int64_t count) {
    for (const std::string& column : cut_parameters(cell, columns, first, count))
        if (!(cell.precision == kernels::Precision::Float32 ? finite<float>(column) : finite<double>(column))) return false;
    return true;
}

std::string parameter_problem(const CellConfig& cell, const ParameterColumns& columns, std::int64_t count) {
    const auto counts = parameter_counts(cell);
    for (std::size_t group = 0; group < parameter_groups; ++group) {
        const std::size_t bytes = static_cast<std::size_t>(counts[group] * count) * parameter_size(cell);
        if (columns[group].size() != bytes)
            return fmt::format("the column {} of the parameters has {} bytes, not {}", parameter_group_names[group], columns[group].size(),
                               bytes);
    }
    return "";
}

std::string parameter_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t count, std::string_view kind,
                           const std::array<std::string_view, parameter_groups>& columns) {
    const std::string first = std::to_string(first_trial), trials = std::to_string(count);
    const std::string_view parts[] = {cell_id, first, trials, kind, columns[0], columns[1], columns[2], columns[3]};
    return parts_hash(std::span(parts));
}

std::int64_t kept_trial_bytes(const CellConfig& cell, const KeptParameters& keep) {
    return keep.count() * cell.parameter_count() * static_cast<std::int64_t>(parameter_size(cell));
}

std::int64_t kept_block_trials(const CellConfig& cell, const KeptParameters& keep, std::int64_t block_trials) {
    while (keep.any() && block_trials > 1 && block_trials * kept_trial_bytes(cell, keep) > keep.count() * most_block_bytes)
        block_trials = (block_trials + 1) / 2;
    return block_trials;
}

}  // namespace limrisk
