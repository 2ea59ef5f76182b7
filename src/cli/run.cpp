// limrisk run: a campaign into a store, with progress, stop and resume, and the summary at the end.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "analysis/prediction.hpp"
#include "analysis/shared_trials.hpp"
#include "analysis/summary.hpp"
#include "campaign/block_size.hpp"
#include "campaign/optional_columns.hpp"
#include "cli/backend_choice.hpp"
#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/dry_run.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "cli/shell_words.hpp"
#include "cli/signals.hpp"
#include "cli/store_space.hpp"
#include "cli/summary_output.hpp"
#include "driver/cost_model.hpp"
#include "driver/driver.hpp"
#include "driver/problem_check.hpp"
#include "report/summary_text.hpp"
#include "store/counted_trials.hpp"

namespace limrisk::cli {
namespace {

struct RunCommand {
    CampaignOptions campaign;
    BackendChoice backend;
    std::string store, shard_text, time_limit, checkpoint_every = "0:01:00";
    std::chrono::seconds checkpoint_interval{};
    CLI::Option* checkpoint_given = nullptr;
    bool dry_run = false, quiet = false, json = false, add = false;
    std::vector<std::string> words;
    Shard shard;
    std::optional<std::chrono::steady_clock::time_point> stop_at;
    std::optional<std::chrono::milliseconds> ending;  ///< for_ending() of the time limit

    bool is_shard() const { return shard.of > 1; }
};

/// "3/16".
Shard shard_of(const std::string& text) {
    Shard shard;
    const std::size_t slash = text.find('/');
    const auto number = [&](std::string_view digits, std::int64_t& value) {
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return !digits.empty() && error == std::errc() && end == digits.data() + digits.size();
    };
    const std::string_view view = text;
    constexpr std::int64_t most = 1'000'000;
    if (slash == std::string::npos || !number(view.substr(0, slash), shard.number) || !number(view.substr(slash + 1), shard.of) ||
        shard.number < 1 || shard.number > shard.of || shard.of > most)
        throw Error(
            ExitCode::Usage,
            fmt::format("--shard {}: K/N is needed, the K-th of N shards, 1 <= K <= N <= {}; for example --shard 3/16", text, most));
    return shard;
}

/// The last tenth of the time that a run may take is for what is in progress: at most 10 seconds, and at least 3, in which checkpoints are
/// written, or half of a shorter time.
std::chrono::milliseconds for_ending(std::chrono::seconds limit) {
    const std::chrono::milliseconds time(limit), least(3'000), most(10'000);
    return std::clamp(time / 10, std::min(least, time / 2), most);
}

std::filesystem::path store_path(const RunCommand& command) {
    if (!command.store.empty()) return command.store;
    return std::filesystem::path(command.campaign.path).stem().string() + ".db";
}

/// Whether a store has trials of a cell of the campaign, which has its name.
bool continues(const std::filesystem::path& path, const Campaign& campaign) {
    try {
        const Store store = Store::open(path);
        if (store.campaign().name != campaign.name || store.contents() != campaign.store || !(store.keep() == campaign.keep)) return false;
        std::set<std::string> ids;
        for (const CellConfig& cell : campaign.cells) ids.insert(cell.id);
        return std::ranges::any_of(store.cells(), [&](const CellConfig& cell) { return ids.contains(cell.id); });
    } catch (const Error&) {
        return false;  // no store, or none that can be read
    }
}

/// Said even to those who want no remarks, where a store is begun by the default name and others in the directory could go on: the
/// campaign's file was perhaps renamed.
std::string stores_that_continue(const Campaign& campaign, const RunCommand& command, const std::filesystem::path& path) {
    constexpr int most = 100;
    std::error_code error;
    if (!command.store.empty() || std::filesystem::exists(path, error)) return "";
    std::set<std::string> found;
    int looked_at = 0;
    for (const auto& entry : std::filesystem::directory_iterator(".", error)) {
        if (entry.path().extension() != ".db" || !entry.is_regular_file(error) || ++looked_at > most) continue;
        if (continues(entry.path(), campaign)) found.insert(entry.path().filename().string());
    }
    if (found.empty()) return "";
    return fmt::format(
        "limrisk: there is no {}, which begins anew. Cells of the campaign \"{}\" are in {}: to go on there, stop this and give --store "
        "{}\n",
        path.string(), campaign.name, fmt::join(found, ", "), *found.begin());
}

/// Said even to those who want no remarks: the store is no longer that of one campaign file.
std::string growth_text(const StoreGrowth& growth, const Campaign& campaign, const RunCommand& command, const std::filesystem::path& path) {
    std::string text;
    if (growth.added > 0)
        text += fmt::format("limrisk: {} of the {} cells of {} are new in {} and were added\n", growth.added, campaign.cells.size(),
                            command.campaign.path, path.string());
    if (growth.kept > 0)
        text += fmt::format(
            "limrisk: {} {} in {} {} not in this campaign: kept, and not run. `limrisk summary {}` shows all cells, with "
            "--only-campaign {} those of the file\n",
            growth.kept, growth.kept == 1 ? "cell" : "cells", path.string(), growth.kept == 1 ? "is" : "are", path.string(),
            command.campaign.path);
    return text;
}

/// Of blocks in the middle of their training from which this run, or the same command later, goes on; empty if there are none.
std::string checkpoint_text(const RunCommand& command, const Campaign& campaign, const Store& store, const Backend& backend) {
    RunOptions options;
    options.shard = command.shard;
    const std::vector<StoredCheckpoint> checkpoints = usable_checkpoints(campaign, store, backend, options);
    double steps = 0;
    for (const StoredCheckpoint& checkpoint : checkpoints) steps += static_cast<double>(checkpoint.replica_steps);
    if (checkpoints.empty()) return "";
    return fmt::format("{} block{} in progress {} a checkpoint, {} replica-steps in all\n", checkpoints.size(),
                       checkpoints.size() == 1 ? "" : "s", checkpoints.size() == 1 ? "has" : "have", speed_text(steps));
}

/// The part of a campaign that shares trials which is run with so many trials per cell: without a rule.
Campaign part_of(const Campaign& campaign, std::vector<std::int64_t> trials) {
    Campaign part = campaign;
    part.until.reset();
    part.cell_trials = std::move(trials);
    return part;
}

std::string beginning(const RunCommand& command, const Campaign& campaign, const Store& store, const Backend& backend,
                      const std::filesystem::path& path) {
    const std::vector<BlockKey> blocks = store.blocks();
    std::string text = fmt::format("{}; {}; store {}\n", size_text(campaign), backend.description(), path.string());
    if (campaign.until) text += fmt::format("{}{}\n", campaign.until->is_shared() ? "trials: " : "each cell runs ", campaign.until->text());
    const char* kind = store.contents() == StoreContents::Summary ? "ranges" : "blocks";
    if (!blocks.empty())
        text += fmt::format("continuing: {} trials in {} {} are already stored\n", trial_count(blocks), blocks.size(), kind);
    const bool shared = campaign.until && campaign.until->is_shared();
    if (const std::string checkpoints = shared ? "" : checkpoint_text(command, campaign, store, backend); !checkpoints.empty())
        text += "continuing: " + checkpoints;
    return text;
}

/// Said even to those who want no remarks: it decides which trials count.
std::string rule_changed(const StoppingChange& change, const std::filesystem::path& path, StoreContents contents) {
    return fmt::format("limrisk: warning: the stopping rule of {} was changed: before {}; now {}. All trials are kept{}\n", path.string(),
                       stopping_text(change.before, change.trials_before), stopping_text(change.now, change.trials_now),
                       contents == StoreContents::Trials
                           ? "; the new rule decides which count"
                           : " and those without a gap before them count, as sums; the new rule decides when to stop from here on");
}

/// Of a run that was ended by `why` before it was complete. `checkpoints`: checkpoint_text().
std::string stopped(const RunCommand& command, const RunOutcome& outcome, const std::string& checkpoints, const std::filesystem::path& path,
                    const std::string& why, bool ruled) {
    return fmt::format("{}: {} of {}{} trials are stored in {}, {} of them from this run\n{}To continue: {}\n", why,
                       outcome.trials_before + outcome.trials_written, ruled ? "at most " : "", outcome.trials_total, path.string(),
                       outcome.trials_written, checkpoints, shell_command(command.words));
}

std::string shard_beginning(const RunCommand& command, const Campaign& campaign) {
    std::string text = fmt::format("shard {} of {}\n", command.shard.number, command.shard.of);
    if (campaign.until)
        text += fmt::format("the stopping rule is judged when the shards are merged; this one ends a cell before only {}\n",
                            campaign.until->until == StoppingCriterion::Until::Events
                                ? fmt::format("when it has {} {} by itself", campaign.until->events, campaign.until->event_text())
                                : "if it has the cell's first trials and they fulfil the rule by themselves");
    return text;
}

/// Sums over trials cannot be taken apart, so a store of them that holds other trials than those of the shard could not be merged.
void refuse_other_share(const RunCommand& command, const Campaign& campaign, const Store& store, const std::filesystem::path& path) {
    if (!command.is_shard() || store.contents() != StoreContents::Summary) return;
    ShardRanges ranges(command.shard);
    std::map<std::string, TrialRange> share_of;
    for (const CellConfig& cell : campaign.cells) share_of.emplace(cell.id, ranges.next(campaign.trials, block_trials(cell)));
    for (const BlockKey& key : store.blocks()) {
        const TrialRange& share = share_of.at(store.cells()[static_cast<std::size_t>(key.cell)].id);
        if (key.first_trial >= share.first && key.first_trial + key.count <= share.first + share.count) continue;
        throw Error(
            ExitCode::Data,
            fmt::format("store {}: has sums over trials {} to {} of cell {}, but shard {} of {} has other trials of {}; sums cannot be "
                        "taken apart when shards are merged. Give another --store",
                        path.string(), key.first_trial, key.first_trial + key.count - 1, key.cell, command.shard.number, command.shard.of,
                        campaign.trials));
    }
}

/// Of a shard there is no summary: its trials are a part of each cell's, most without the first.
std::string shard_finished(const RunCommand& command, const RunOutcome& outcome, const std::filesystem::path& path) {
    return fmt::format("shard {} of {} is complete: {} trials in {}. When all are: limrisk merge ALL.db {} ...\n", command.shard.number,
                       command.shard.of, outcome.trials_total, path.string(), shell_command({path.string()}));
}

std::string finished(const Campaign& campaign, const RunOutcome& outcome) {
    const std::string saved =
        campaign.until ? fmt::format("; the rule saved {} of {} trials", outcome.trials_saved, outcome.trials_saved + outcome.trials_total)
                       : "";
    if (outcome.blocks_written == 0)
        return fmt::format("campaign {}: all {} trials are already stored{}\n", campaign.name, outcome.trials_total, saved);
    double steps = 0;
    for (const CellConfig& cell : campaign.cells) steps += static_cast<double>(cell.steps);
    const double mean_steps = campaign.cells.empty() ? 0 : steps / static_cast<double>(campaign.cells.size());
    const double per_second = (mean_steps * static_cast<double>(outcome.trials_written) - outcome.resumed_steps) / outcome.seconds;
    // Steps that checkpoints held are those of their own cells, the mean is that of all.
    const bool alike = std::ranges::all_of(campaign.cells, [&](const CellConfig& cell) { return cell.steps == campaign.cells[0].steps; });
    const std::string speed = outcome.resumed_steps > 0 && !alike ? "" : fmt::format(", about {} replica-steps/s", speed_text(per_second));
    return fmt::format("{} trials in {}{}{}{}\n", outcome.trials_written, duration_text(outcome.seconds), speed,
                       ends_early(campaign.cells) ? " (with those not needed after an early end)" : "", saved);
}

struct DrivenRun {
    RunOutcome outcome;
    int signal;  ///< that asked it to stop, 0 if none
};

/// Signals drain the run here; what comes after it, such as the summary that may wait for a reader, they end as usual.
DrivenRun drive(const RunCommand& command, const Campaign& campaign, Store& store, Backend& backend) {
    const StopSignals signals;
    std::optional<ProgressDisplay> display;
    if (!command.quiet) display.emplace();
    RunOptions options;
    options.stop_requests = &signals.requests();
    options.stop_at = command.stop_at;
    // Half for what ends by itself, half for checkpoints.
    if (command.ending) options.grace = options.longest_pause = *command.ending / 2;
    options.shard = command.shard;
    options.checkpoint_interval = command.checkpoint_interval;
    if (display) options.on_progress = [&display](const Progress& progress) { display->show(progress); };
    // Said even to those who want no progress: a part of the machine is no longer at work.
    options.on_warning = [&display](const std::string& line) {
        if (display) display->clear();
        note("limrisk: warning: " + line + "\n");
    };
    try {
        const RunOutcome outcome = run_campaign(campaign, store, backend, options);
        if (display) display->finish();
        return {outcome, signals.first_signal()};
    } catch (...) {
        if (display) display->finish();
        throw;
    }
}

/// Of all trials of a campaign that shares them out: the pilots, then what they decide. `run` becomes the part that was run last.
DrivenRun drive_shared(const RunCommand& command, Campaign& run, Store& store, Backend& backend) {
    const Campaign campaign = run;
    const auto note_if_heard = [&](const std::string& text) {
        if (!command.quiet) note(text);
    };
    run = part_of(campaign, pilot_trials(campaign));
    note_if_heard(checkpoint_text(command, run, store, backend));
    DrivenRun pilots = drive(command, run, store, backend);
    if (!pilots.outcome.complete() || pilots.signal != 0) {
        pilots.outcome.trials_total = all_trials(campaign);
        return pilots;
    }
    const SharedTrials shared = share_trials(store, campaign);
    for (const std::string& line : shared.lines) note_if_heard("shared out: " + line + "\n");
    run = part_of(campaign, shared.trials);
    DrivenRun driven = drive(command, run, store, backend);
    driven.outcome.trials_before -= pilots.outcome.trials_written;
    driven.outcome.trials_written += pilots.outcome.trials_written;
    driven.outcome.blocks_written += pilots.outcome.blocks_written;
    driven.outcome.resumed_steps += pilots.outcome.resumed_steps;
    driven.outcome.seconds += pilots.outcome.seconds;
    return driven;
}

ExitCode run(RunCommand& command) {
    if (!command.time_limit.empty()) {
        const std::chrono::seconds limit = time_span("--time-limit", command.time_limit);
        command.ending = for_ending(limit);
        command.stop_at = std::chrono::steady_clock::now() + limit - *command.ending;
    }
    command.checkpoint_interval = time_span("--checkpoint-every", command.checkpoint_every);
    if (!command.shard_text.empty()) command.shard = shard_of(command.shard_text);
    Campaign campaign = load(command.campaign);
    const bool shared = campaign.until && campaign.until->is_shared();
    check_conditions(campaign);
    refuse_rule_of_sums(campaign);
    if (command.is_shard()) refuse_shards(campaign);
    if (command.dry_run) {
        if (shared) campaign.cell_trials = equal_trials(campaign);
        print(dry_run_report(campaign, *make_backend(command.backend, campaign.cells, command.quiet), store_path(command), command.json));
        return ExitCode::Done;
    }
    check_problems(campaign);
    const std::unique_ptr<Backend> backend =
        make_backend(command.backend, most_expensive_first(campaign.cells), command.quiet, Preparation::ForRun);
    const std::filesystem::path path = store_path(command);
    note(stores_that_continue(campaign, command, path));
    Store store = Store::open_for_writing(path, campaign, {.add = command.add});
    refuse_other_share(command, campaign, store, path);
    note(growth_text(store.growth(), campaign, command, path));
    if (store.stopping_change()) note(rule_changed(*store.stopping_change(), path, store.contents()));
    if (!command.quiet) note(beginning(command, campaign, store, *backend, path));
    if (!command.quiet && command.is_shard()) note(shard_beginning(command, campaign));
    // A rule may end cells long before the most that they may have.
    if (const StoreSpace space = store_space(shared ? part_of(campaign, equal_trials(campaign)) : campaign, path);
        (shared || !campaign.until) && !command.is_shard() && !space.fits())
        note("limrisk: warning: " + space_warning(space) + "\n");

    // From here on, where trials are shared out, the campaign is the part that was run: it has no rule and a number of trials per cell.
    const auto [outcome, signal] = shared ? drive_shared(command, campaign, store, *backend) : drive(command, campaign, store, *backend);
    if (!outcome.complete() && signal != 0) {
        note(stopped(command, outcome, checkpoint_text(command, campaign, store, *backend), path,
                     "stopped by " + std::string(signal_name(signal)), shared || campaign.until));
        return signal_exit_code(signal);
    }
    if (!outcome.complete() && outcome.time_is_up) {
        note(stopped(command, outcome, checkpoint_text(command, campaign, store, *backend), path,
                     fmt::format("time is up (--time-limit {})", command.time_limit), shared || campaign.until));
        return ExitCode::Busy;
    }
    if (!outcome.complete())
        throw Defect(
            fmt::format("the run ended with {} of {} trials", outcome.trials_before + outcome.trials_written, outcome.trials_total));
    if (!command.quiet) note(finished(campaign, outcome));
    if (command.is_shard()) {
        print(shard_finished(command, outcome, path));
        return ExitCode::Done;
    }
    ReadingDisplay display("summary");
    if (!command.quiet) display.watch(store);
    const StoreSummary summary = summarize(store);
    display.clear();
    print(command.json ? summary_json(summary) : summary_table(summary));
    return verdict_of(summary);
}

}  // namespace

void add_run(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<RunCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand("run", "run or continue a campaign");
    add_campaign_options(*command, options->campaign);
    command->add_option("--store", options->store, "store file; default: name of the campaign file with .db, in the current directory")
        ->type_name("FILE");
    add_backend_options(*command, options->backend);
    CLI::Option* add =
        command->add_flag("--add", options->add, "keep the campaign in the store beside those of other problems that are there");
    CLI::Option* shard =
        command->add_option("--shard", options->shard_text, "run the K-th of N shares of the campaign only, in a store of its own")
            ->type_name("K/N");
    CLI::Option* limit = command
                             ->add_option("--time-limit", options->time_limit,
                                          "end within this time, as after Ctrl-C, with exit code 75: the same command goes on later")
                             ->type_name("[D-]H:MM:SS");
    options->checkpoint_given =
        command
            ->add_option("--checkpoint-every", options->checkpoint_every,
                         "write a checkpoint of each block in progress as often; of blocks that take less time there is none")
            ->type_name("[D-]H:MM:SS")
            ->capture_default_str();
    command->add_flag("--dry-run", options->dry_run, "only show cells, memory, work and predicted time")
        ->excludes(shard)
        ->excludes(add)
        ->excludes(limit)
        ->excludes(options->checkpoint_given);
    command->add_flag("--quiet", options->quiet, "no progress and no notes on stderr");
    command->add_flag("--json", options->json, "print the summary (or the dry run) as JSON")->excludes(shard);
    command->footer(examples({
        "limrisk run campaign.toml --dry-run",
        "limrisk run campaign.toml",
        "limrisk run campaign.toml --trials 96 --quiet",
        "limrisk run campaign.toml --store part-3.db --shard 3/16 --time-limit 3:50:00",
        "limrisk run campaign.toml --store wide.db --set network.width=[16,32] --steps 50 --seed 7 --threads 1 --json",
    }));
    command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace limrisk::cli
