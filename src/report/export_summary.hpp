// Exports a store of summaries: the histograms of its aggregates. Formats: docs/formats.md.
#pragma once
#include "files/output_file.hpp"
#include "report/export.hpp"

namespace limrisk {

/// Writes every aggregate: as CSV one row per bin of a histogram, as JSON with sums and extremes too. Returns the number of trials. Throws
/// StoreError(Data) for NPZ, which is for rows.
std::int64_t export_aggregates(const Store& store, ExportFormat format, OutputFile& file);

}  // namespace limrisk
