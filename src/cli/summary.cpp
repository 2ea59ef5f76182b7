// limrisk summary: what a store says about each cell, and how its cells compare.
#include "analysis/summary.hpp"

#include <fmt/format.h>

#include <memory>

#include "analysis/comparison.hpp"
#include "campaign/campaign.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/summary_output.hpp"
#include "report/comparison_text.hpp"
#include "report/sentence.hpp"
#include "report/summary_text.hpp"
#include "report/verdict_text.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

struct SummaryCommand {
    StoreChoice choice;
    std::string compare, only_campaign;
    double tolerance = default_tolerance;
    std::int64_t restarts = 0;
    bool json = false, csv = false, sentences = false, verdicts = false;
};

std::string sentence_lines(const StoreSummary& summary) {
    std::string text;
    for (const std::string& line : sentences(summary)) text += line + "\n";
    return text;
}

/// Says what is left out and what is missing, so that nobody takes the cells for all that there are.
void select(OpenStores& stores, const SummaryCommand& command) {
    Store& store = stores.store;
    const std::size_t all = store.cells().size();
    const std::string names = store_names(stores.paths);
    Campaign campaign = load_campaign(command.only_campaign);
    if (!stores.pool.empty())
        for (CellConfig& cell : campaign.cells) cell = with_seed(std::move(cell), store.campaign().seed);
    const std::int64_t missing = store.select(campaign);
    const std::size_t left = store.cells().size();
    if (left == 0)
        throw Error(ExitCode::Data, fmt::format("--only-campaign {}: {} has none of its cells (changes that were made with --set, --steps "
                                                "or --seed are not in the file)",
                                                command.only_campaign, names));
    if (left < all) note(fmt::format("limrisk: {} of the {} cells of {}, numbered as in {}\n", left, all, names, command.only_campaign));
    if (missing > 0) note(fmt::format("limrisk: {} of the cells of {} are not in {}\n", missing, command.only_campaign, names));
}

ExitCode summary(const SummaryCommand& command) {
    OpenStores stores = open_stores(command.choice, "summary");
    if (!command.only_campaign.empty()) select(stores, command);
    const StoreSummary result = summarize_stores(stores, command.tolerance, command.restarts);
    if (!command.compare.empty()) {
        const StoreComparison comparison = compare_cells(stores.store, result, command.compare);
        stores.display->clear();
        print(command.json ? comparison_json(comparison, result) : comparison_table(comparison, result));
    } else {
        print(command.json        ? summary_json(result)
              : command.csv       ? summary_csv(result)
              : command.sentences ? sentence_lines(result)

                                  : summary_table(result) + (command.verdicts ? verdict_remark(result) : ""));
    }
    return verdict_of(result);
}

}  // namespace

void add_summary(CLI::App& app, Action& action) {
    const auto options = std::make_shared<SummaryCommand>();
    CLI::App* command = app.add_subcommand("summary", "summarize the results per cell; works during a run");
    add_stores_option(*command, options->choice);
    add_tolerance_option(*command, options->tolerance);
    CLI::Option* restarts = add_restarts_option(*command, options->restarts);
    command->add_option("--only-campaign", options->only_campaign, "only the cells of this campaign file, numbered as in it")
        ->type_name("FILE");
    CLI::Option* compare = add_compare_option(*command, options->compare)->excludes(restarts);
    CLI::Option* json = command->add_flag("--json", options->json, "as JSON");
    CLI::Option* csv = command->add_flag("--csv", options->csv, "as CSV, a row per cell")->excludes(json)->excludes(compare);
    command->add_flag("--sentences", options->sentences, "a sentence per cell")->excludes(json)->excludes(csv)->excludes(compare);
    command->add_flag("--verdicts", options->verdicts, "below the table the share of each verdict with its 95 % interval")
        ->excludes(json)
        ->excludes("--csv")
        ->excludes("--sentences")
        ->excludes(compare);
    command->footer(examples({"limrisk summary campaign.db", "limrisk summary campaign.db --verdicts --restarts 10",
                              "limrisk summary campaign.db --csv", "limrisk summary campaign.db --sentences",
                              "limrisk summary campaign.db --compare width", "limrisk summary campaign.db --only-campaign campaign.toml",
                              "limrisk summary part-1.db part-2.db", "limrisk summary part-1.db part-2.db --pool-seeds"}));
    command->callback([&action, options] { action = [options] { return summary(*options); }; });
}

}  // namespace limrisk::cli
