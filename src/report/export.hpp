// Exports a store for other programs: one row per trial as CSV or JSON, or one array per field as NPZ. Formats: docs/formats.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "files/output_file.hpp"
#include "store/store.hpp"

namespace limrisk {

enum class ExportFormat { Csv, Json, Npz };

/// "csv", "json" or "npz"; throws Error(Usage) for anything else.
ExportFormat parse_export_format(std::string_view name);

/// Writes all stored trials, in the order of cells and trials (of a store of summaries: its histograms, as CSV or JSON), to `path` by way
/// of a temporary file beside it, so that `path` is never half-written. Returns the number of trials. Memory: one block. Throws
/// Error(InputOutput) if `path` exists and not `force`, or cannot be written; StoreError(Data) if a block does not fit its hash.
std::int64_t export_store(const Store& store, ExportFormat format, const std::filesystem::path& path, bool force = false);

/// Writes the parameters that the store keeps of its trials to `path` as NPZ, in the same way: docs/formats.md. Returns the number of
/// trials. Throws StoreError(Data) if it keeps none.
std::int64_t export_kept_parameters(const Store& store, const std::filesystem::path& path, bool force = false);

/// Writes the parameters of one network to `file` as NPZ: w [width][dimension], b, v [width] and c [], and the same with "initial_" before
/// the names. Both arrays in canonical order.
void export_parameters(const CellConfig& cell, const std::vector<double>& initial, const std::vector<double>& last, OutputFile& file);

}  // namespace limrisk
