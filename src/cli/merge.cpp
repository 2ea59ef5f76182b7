// limrisk merge: the stores of shards, or of campaigns that grew apart, into one.
#include "store/merge.hpp"

#include <fmt/format.h>

#include <memory>

#include "analysis/known_optima.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "store/counted_trials.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

struct MergeCommand {
    std::string all;
    std::vector<std::filesystem::path> parts;
    bool add = false, quiet = false;
};

std::string part_text(const std::string& part, const MergeOutcome& outcome) {
    std::string text = fmt::format("{}: {} trials added, {} were there already", part, outcome.trials_added, outcome.trials_there);
    if (outcome.cells_added > 0) text += fmt::format("; {} new", counted(outcome.cells_added, "cell"));
    if (outcome.documents_replaced > 0)
        text += fmt::format("; {} optima, limits or valleys are better than those that were there, and replaced them",
                            outcome.documents_replaced);
    if (outcome.documents_left > 0)
        text += fmt::format("; {} optima or other documents differ from those that are there, which stay", outcome.documents_left);
    return text + "\n";
}

/// What is in the store now, and what is missing.
std::string result_text(const MergeCommand& command) {
    const Store store = Store::open(command.all);
    const std::vector<std::int64_t> gapless = gapless_trials(store);
    const auto incomplete = std::count_if(gapless.begin(), gapless.end(), [&](std::int64_t n) { return n < store.campaign().trials; });
    std::string text = fmt::format("{}: {} trials of {} cells\n", command.all, trial_count(store.blocks()), store.cells().size());
    if (incomplete > 0)
        text += fmt::format("{} with fewer than {} trials without a gap{}; `limrisk run CAMPAIGN.toml --store {}` runs what is wanted\n",
                            counted(incomplete, "cell"), store.campaign().trials,
                            store.stopping() ? ", which the stopping rule may not want" : "", command.all);
    return text;
}

ExitCode merge(const MergeCommand& command) {
    ReadingDisplay display("merge");
    MergeOptions options{.add = command.add, .better = better_document};
    if (!command.quiet) options.on_block = shown_blocks(display, command.parts);
    merge_stores(command.all, command.parts, options, [&](const std::filesystem::path& part, const MergeOutcome& outcome) {
        display.clear();
        if (!command.quiet) note(part_text(part.string(), outcome));
    });
    print(result_text(command));
    return ExitCode::Done;
}

}  // namespace

void add_merge(CLI::App& app, Action& action) {
    const auto options = std::make_shared<MergeCommand>();
    CLI::App* command = app.add_subcommand("merge", "put the stores of shards together; goes on where a merge was stopped");
    command->add_option("ALL.db", options->all, "the store to merge into; created if it is missing")->required();
    command->add_option("PART.db", options->parts, "stores that `limrisk run` wrote, which stay as they are")->required();
    command->add_flag("--add", options->add, "also stores of campaigns that share no cell, or have other problems");
    command->add_flag("--quiet", options->quiet, "no remarks on stderr");
    command->footer(examples({"limrisk run campaign.toml --store part-1.db --shard 1/2",
                              "limrisk run campaign.toml --store part-2.db --shard 2/2", "limrisk merge all.db part-1.db part-2.db"}));
    command->callback([&action, options] { action = [options] { return merge(*options); }; });
}

}  // namespace limrisk::cli
