// What a campaign will do and cost, before it does.
#pragma once
#include <filesystem>
#include <string>

#include "backend/backend.hpp"
#include "campaign/campaign.hpp"

namespace limrisk::cli {

/// The cells with their tiles, blocks, memory, work and predicted time, as a table or as JSON. Measures the speed of the backend for a few
/// tenths of a second; builds the plan of every cell, one at a time, so errors of a target show here too. `store`: where the trials would
/// go; its size and the free space there are told as well.
std::string dry_run_report(const Campaign& campaign, Backend& backend, const std::filesystem::path& store, bool json);

/// What so many trials of a cell leave idle of devices that run `trials_to_fill` at the same time, as a line; empty if nothing.
std::string filling_text(std::int64_t trials, std::int64_t trials_to_fill);

}  // namespace limrisk::cli
