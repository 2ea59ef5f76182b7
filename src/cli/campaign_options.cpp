// Command line -> Overrides -> Campaign.
#include "cli/campaign_options.hpp"

#include <fmt/format.h>

#include "cli/options.hpp"
#include "limrisk/error.hpp"

namespace limrisk::cli {

void add_campaign_options(CLI::App& command, CampaignOptions& options) {
    command.add_option("CAMPAIGN.toml", options.path, "the campaign file")->required();
    options.trials_given = command.add_option("--trials", options.trials, "trials per cell (overrides the file)")
                               ->type_name("N")
                               ->transform(whole_number(1, INT64_MAX));
    options.steps_given = command.add_option("--steps", options.steps, "training steps (overrides the file)")
                              ->type_name("N")
                              ->transform(whole_number(1, INT64_MAX));
    command.add_option("--seed", options.seed, "seed (overrides the file)")->type_name("N")->transform(whole_number(0, INT64_MAX));
    command.add_option("--set", options.set, "override a key of the file, for example --set training.batch=64; can be repeated")
        ->type_name("KEY=VALUE")
        ->allow_extra_args(false);
}

Campaign load(const CampaignOptions& options) {
    Overrides overrides;
    if (options.trials_given->count() > 0) overrides.trials = options.trials;
    if (options.steps_given->count() > 0) overrides.steps = options.steps;
    if (!options.seed.empty()) overrides.seed = std::stoull(options.seed);
    for (const std::string& assignment : options.set) {
        const std::size_t equals = assignment.find('=');
        if (equals == std::string::npos || equals == 0)
            throw Error(ExitCode::Usage, fmt::format("--set {}: KEY=VALUE is needed, for example --set training.batch=64", assignment));
        overrides.set.emplace_back(assignment.substr(0, equals), assignment.substr(equals + 1));
    }
    return load_campaign(options.path, overrides);
}

void refuse_shards(const Campaign& campaign) {
    if (campaign.until && campaign.until->is_shared())
        throw ConfigError(
            {"key `trials.share`: trials are shared out by the pilots of all strata, which a shard does not see; leave out the shards, or "
             "give trials as a number"});
    if (campaign.store != StoreContents::Summary || !campaign.until) return;
    throw ConfigError(
        {"key `trials`: a stopping rule with store = \"summary\" cannot be judged in shards: sums over trials behind its end cannot be "
         "taken "
         "apart when they are merged; leave out the shards, or the rule, or take store = \"trials\""});
}

std::string size_text(const Campaign& campaign) {
    return fmt::format("campaign {}: {} cell{} x {}{} trial{}", campaign.name, campaign.cells.size(), campaign.cells.size() == 1 ? "" : "s",
                       campaign.until ? "at most " : "", campaign.trials, campaign.trials == 1 ? "" : "s");
}

}  // namespace limrisk::cli
