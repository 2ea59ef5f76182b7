// The parameters of the trials of a block as packed little-endian columns, for the table `kept`: docs/formats.md.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "campaign/cell.hpp"
#include "campaign/kept_parameters.hpp"

namespace limrisk {

/// The groups of parameters, in canonical order. The numbers of u, of a network with a skip connection, stand behind its c.
inline constexpr std::size_t parameter_groups = 4;
inline constexpr std::array<const char*, parameter_groups> parameter_group_names{"w", "b", "v", "c"};

/// Numbers of one trial in each group: width * dimension, width, width, 1, with a skip connection 1 + dimension.
std::array<std::int64_t, parameter_groups> parameter_counts(const CellConfig& cell);

/// Bytes of a number: float32 or float64, as the cell trains.
constexpr std::size_t parameter_size(const CellConfig& cell) { return cell.precision == kernels::Precision::Float32 ? 4 : 8; }

/// Of one kind: w [count][width][dimension], b [count][width], v [count][width], c [count], with a skip connection
/// [count][1 + dimension]: c, then u.
using ParameterColumns = std::array<std::string, parameter_groups>;
/// Of a block; the columns of kinds that are not kept are empty.
using BlockParameters = std::array<ParameterColumns, parameter_kinds>;

/// From [count][parameters] in canonical order, of numbers that the cell's precision holds. Every NaN, of trials that diverged, becomes the
/// same one, so that all machines store the same bits.
ParameterColumns pack_parameters(const CellConfig& cell, std::span<const double> parameters, std::int64_t count);

/// Those of trials first .. first + count - 1 of a block's.
ParameterColumns cut_parameters(const CellConfig& cell, const ParameterColumns& columns, std::int64_t first, std::int64_t count);

/// Whether all of them are finite numbers.
bool all_finite(const CellConfig& cell, const ParameterColumns& columns, std::int64_t first, std::int64_t count);

/// Why a block of so many trials cannot have them; empty if it can.
std::string parameter_problem(const CellConfig& cell, const ParameterColumns& columns, std::int64_t count);

/// XXH3-128, 32 hexadecimal digits, of the cell's id, first trial, count (decimal), the kind's name, and the columns, each preceded by its
/// length in 8 bytes, little-endian.
std::string parameter_hash(std::string_view cell_id, std::int64_t first_trial, std::int64_t count, std::string_view kind,
                           const std::array<std::string_view, parameter_groups>& columns);

/// Trials of a block of the store: fewer than block_trials() of cells whose parameters would fill more than some MiB. Which trials count
/// does not depend on it.
std::int64_t kept_block_trials(const CellConfig& cell, const KeptParameters& keep, std::int64_t block_trials);

/// Bytes of the parameters of one trial.
std::int64_t kept_trial_bytes(const CellConfig& cell, const KeptParameters& keep);

}  // namespace limrisk
