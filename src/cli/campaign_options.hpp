// The campaign and the changes to it that the command line can make.
#pragma once
#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "campaign/campaign.hpp"

namespace limrisk::cli {

struct CampaignOptions {
    std::string path;
    std::int64_t trials = 0, steps = 0;
    std::string seed;
    std::vector<std::string> set;  ///< "key=value"
    CLI::Option *trials_given = nullptr, *steps_given = nullptr;
};

/// Adds CAMPAIGN.toml, --trials, --steps, --seed and --set.
void add_campaign_options(CLI::App& command, CampaignOptions& options);

/// Reads the campaign with the changes. Throws Error(Usage) for a --set without "=", and what load_campaign throws.
Campaign load(const CampaignOptions& options);

/// Throws ConfigError for a campaign whose rule is judged on sums over blocks: a shard does not know the blocks before its own, and sums
/// that run beyond the end of the rule cannot be taken apart.
void refuse_shards(const Campaign& campaign);

/// "campaign quadratic: 3 cells x at most 60000 trials".
std::string size_text(const Campaign& campaign);

}  // namespace limrisk::cli
