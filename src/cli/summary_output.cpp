// stderr, so that it is seen where stdout goes to a file.
#include "cli/summary_output.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "analysis/known_optima.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "report/summary_remarks.hpp"
#include "store/merge.hpp"

namespace limrisk::cli {

void add_stores_option(CLI::App& command, StoreChoice& choice) {
    command.add_option("STORE", choice.stores, "a store that `limrisk run` wrote; of several, the cells of all are shown")->required();
    command.add_flag("--pool-seeds", choice.pool_seeds,
                     "of stores of several seeds: cells that differ in the seed alone are one cell with the trials of all seeds");
}

std::string store_names(const std::vector<std::filesystem::path>& stores) {
    std::vector<std::string> names;
    for (const std::filesystem::path& store : stores) names.push_back(store.string());
    return fmt::format("{}", fmt::join(names, ", "));
}

OpenStores open_stores(const StoreChoice& choice, const std::string& command) {
    const std::vector<std::uint64_t> seeds = seeds_of(choice.stores);
    MergeOptions options{.better = better_document};
    ReadingDisplay together("putting the stores together");
    if (choice.stores.size() > 1) options.on_block = shown_blocks(together, choice.stores);
    const auto opened = [&](Store store, Pool pool) {
        OpenStores open{choice.stores, std::move(store), std::move(pool), std::make_unique<ReadingDisplay>(command)};
        open.display->watch(open.store);
        return open;
    };
    if (seeds.size() > 1 && !choice.pool_seeds)
        throw StoreError(ExitCode::Data, fmt::format("{}: these stores have the seeds {}; --pool-seeds summarizes their trials together",
                                                     store_names(choice.stores), fmt::join(seeds, ", ")));
    if (choice.pool_seeds && seeds.size() == 1)
        note(fmt::format("limrisk: --pool-seeds has no effect: {} {} the seed {} only\n", store_names(choice.stores),
                         choice.stores.size() == 1 ? "has" : "have", seeds.front()));
    if (seeds.size() == 1) return opened(open_together(choice.stores, options), {});
    PooledStore pooled = open_pooled(choice.stores, options);
    together.clear();
    if (pooled.behind_gaps > 0) note(fmt::format("limrisk: not counted: {} stored trials that follow a gap\n", pooled.behind_gaps));
    if (pooled.without_trajectories)
        note(
            "limrisk: trajectories are not pooled: they are quantiles over the trials of one seed, from which those of all trials do not "
            "follow; `limrisk report` shows them of the stores of one seed\n");
    return opened(std::move(pooled.store), std::move(pooled.pool));
}

StoreSummary summarize_stores(const OpenStores& stores, double tolerance, std::int64_t restarts) {
    StoreSummary summary = summarize(stores.store, tolerance, stores.pool);
    if (restarts > 0) enter_restarts(stores.store, summary, restarts);
    if (stores.paths.size() == 1) return summary;
    std::map<std::string, std::int64_t> wanted;  // trials, by id of the cell
    for (const std::filesystem::path& one : stores.paths) {
        const Store part = Store::open(one);
        summary.parts.push_back(part.campaign());
        for (const CellConfig& cell : part.cells()) wanted[cell.id] = std::max(wanted[cell.id], part.campaign().trials);
    }
    if (!stores.pool.empty()) {
        summary.seeds = seeds_of(stores.paths);
        for (const auto& [id, parts] : stores.pool) {
            wanted[id] = 0;
            for (const PooledTrials& part : parts) wanted[id] += part.wanted;
        }
    }
    for (CellSummary& cell : summary.cells)
        if (!cell.wanted) cell.wanted = wanted.at(cell.cell.id);
    const auto joined = [&](std::string StoredCampaign::*text, const char* between) {
        std::vector<std::string> texts;
        for (const StoredCampaign& part : summary.parts)
            if (std::ranges::find(texts, part.*text) == texts.end()) texts.push_back(part.*text);
        return fmt::format("{}", fmt::join(texts, between));
    };
    summary.campaign.name = joined(&StoredCampaign::name, " + ");
    summary.campaign.created = joined(&StoredCampaign::created, ", ");
    summary.campaign.version = joined(&StoredCampaign::version, ", ");
    return summary;
}

CLI::Option* add_compare_option(CLI::App& command, std::string& axis) {
    return command.add_option("--compare", axis, "paired comparison of the cells that differ only in this axis: optimizer, width ...")
        ->type_name("AXIS");
}

void add_tolerance_option(CLI::App& command, double& tolerance) {
    command.add_option("--tolerance", tolerance, "a trial counts as missed if its limiting risk is above (1 + T) x best known risk")
        ->type_name("T")
        ->check(decimal_number(0, 1e6))
        ->capture_default_str();
}

CLI::Option* add_restarts_option(CLI::App& command, std::int64_t& restarts) {
    return command
        .add_option("--restarts", restarts,
                    "what the best of R trials is: the probability that one reaches the best known risk, and the best final risk")
        ->type_name("R")
        ->transform(whole_number(1, 1000000000));
}

ExitCode verdict_of(const StoreSummary& summary) {
    for (const std::string& warning : summary.warnings) note("limrisk: WARNING: " + warning + "\n");
    const std::string violated = violations(summary);
    note(violated);
    return violated.empty() ? ExitCode::Done : ExitCode::Defect;
}

}  // namespace limrisk::cli
