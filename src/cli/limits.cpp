// limrisk limits: where gradient descent ends, proved trial by trial, kept in the store.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "analysis/cell_axes.hpp"
#include "analysis/limit_scan.hpp"
#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "cli/shell_words.hpp"
#include "cli/signals.hpp"
#include "driver/cost_model.hpp"
#include "report/limit_text.hpp"
#include "store/counted_trials.hpp"
#include "store/document_writer.hpp"
#include "store/store.hpp"

namespace limrisk::cli {
namespace {

struct LimitsCommand {
    std::string store, csv;
    std::int64_t trials = INT64_MAX;
    std::vector<std::int64_t> cells;  ///< none: all
    BackendChoice backend;
    bool again = false, json = false, force = false;
    std::vector<std::string> words;
};

/// One cell whose limits can be proved.
struct LimitTask {
    CellConfig cell;
    std::vector<std::uint64_t> fingerprints;   ///< of the trials that are asked for
    std::vector<LimitRequest::Range> missing;  ///< of them, in blocks
    std::int64_t trials() const { return static_cast<std::int64_t>(fingerprints.size()); }
    std::int64_t missing_trials() const {
        std::int64_t sum = 0;
        for (const LimitRequest::Range& range : missing) sum += range.count;
        return sum;
    }
};

/// The cells asked for; those without proofs are left out, and it is said why.
std::vector<LimitTask> limit_tasks_of(const LimitsCommand& command, const Store& store) {
    if (store.contents() != StoreContents::Trials)
        throw Error(ExitCode::Usage, fmt::format("{} has only summaries; limits are proved trial by trial, in a store with all trials "
                                                 "(store = \"trials\")",
                                                 command.store));
    const auto known = static_cast<std::int64_t>(store.cells().size());
    for (const std::int64_t cell : command.cells)
        if (cell >= known)
            throw Error(ExitCode::Usage,
                        fmt::format("--cell {}: {} has the cells 0 to {}; `limrisk summary` shows them", cell, command.store, known - 1));
    std::vector<LimitTask> tasks;
    for (const CellConfig& cell : store.cells()) {
        if (!command.cells.empty() && std::find(command.cells.begin(), command.cells.end(), cell.index) == command.cells.end()) continue;
        if (const std::string reason = no_limits_reason(cell); !reason.empty()) {
            const std::string text = fmt::format("cell {}: {}", cell.index, reason);
            if (!command.cells.empty()) throw Error(ExitCode::Usage, text);
            note(text + "; left out\n");
            continue;
        }
        LimitTask& task = tasks.emplace_back();
        task.cell = cell;
        for_each_counted_trial(store, cell.index, [&](std::int64_t trial, const TrialRecord& record) {
            if (trial < command.trials) task.fingerprints.push_back(record.fingerprint);
        });
        if (task.fingerprints.empty()) note(fmt::format("cell {}: no trials from 0 on are stored\n", cell.index));
    }
    return tasks;
}

/// What of each cell is not in the store, in the cell's own blocks, which do not depend on what is asked for.
void find_missing(const LimitsCommand& command, std::vector<LimitTask>& tasks) {
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> stored;  // trials, by cell and first trial
    if (!command.again)
        for (const StoredDocument& document : Store::open(command.store).documents(document_kind::limits))
            stored[{document.id, document.number}] =
                static_cast<std::int64_t>(limits_from_json(document.text, document.number).limits.size());
    for (LimitTask& task : tasks) {
        const std::int64_t block = block_trials(task.cell);
        for (std::int64_t first = 0; first < task.trials(); first += block) {
            const std::int64_t count = std::min(block, task.trials() - first);
            const auto found = stored.find({task.cell.id, first});
            if (found == stored.end() || found->second < count) task.missing.push_back({first, count});
        }
    }
}

/// Progress over all cells.
class LimitWork {
public:
    explicit LimitWork(const std::vector<LimitTask>& tasks) {
        now_.cells_total = static_cast<std::int64_t>(tasks.size());
        for (const LimitTask& task : tasks) {
            now_.cost_total += cost(task, task.trials());
            now_.cost_before += cost(task, task.trials() - task.missing_trials());
            now_.trials_total += task.trials();
            now_.trials_done += task.trials() - task.missing_trials();
            if (task.missing.empty()) ++now_.cells_done;
        }
    }
    void done(const LimitTask& task, std::int64_t trials) {
        now_.trials_done += trials;
        done_in_cell_ += trials;
        if (done_in_cell_ == task.missing_trials()) ++now_.cells_done;
    }
    void show(const LimitTask& task, double replica_steps) {
        const double all = static_cast<double>(task.missing_trials()) * static_cast<double>(task.cell.steps);
        Progress progress = now_;
        progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        progress.cost_done += cost(task, task.missing_trials()) * std::min(1.0, replica_steps / all);
        progress.replica_steps += replica_steps;
        latest_steps_ = replica_steps;
        display_.show(progress);
    }
    void next_cell(const LimitTask& task) {
        now_.cost_done += cost(task, task.missing_trials());
        now_.replica_steps += latest_steps_;
        latest_steps_ = 0;
        done_in_cell_ = 0;
    }
    std::int64_t trials_done() const { return now_.trials_done; }
    std::int64_t trials_total() const { return now_.trials_total; }
    void finish() { display_.finish(); }

private:
    static double cost(const LimitTask& task, std::int64_t trials) { return trial_cost(task.cell) * static_cast<double>(trials); }

    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Progress now_;
    std::int64_t done_in_cell_ = 0;
    double latest_steps_ = 0;
    ProgressDisplay display_;
};

std::vector<CellConfig> configs_to_train(const std::vector<LimitTask>& tasks) {
    std::vector<CellConfig> cells;
    for (const LimitTask& task : tasks)
        if (!task.missing.empty()) cells.push_back(task.cell);
    return cells;
}

bool prove_cell(const LimitsCommand& command, const Store& store, const LimitTask& task, Backend& backend, DocumentWriter& writer,
                const StopSignals& signals, LimitWork& work) {
    const CellPlan plan(task.cell);
    LimitRequest request;
    request.ranges = task.missing;
    request.fingerprints = &task.fingerprints;
    request.stop_requests = &signals.requests();
    request.on_done = [&](const TrialLimits& limits) {
        writer.write({{document_kind::limits, task.cell.id, limits.first_trial, task.cell.description, limits_to_json(limits), "", ""}});
        work.done(task, static_cast<std::int64_t>(limits.limits.size()));
    };
    request.on_progress = [&](double replica_steps) { work.show(task, replica_steps); };
    try {
        return find_limits(plan, request, backend);
    } catch (const Defect& defect) {
        throw Defect(
            fmt::format("{}.\nThis block was not stored. Either the store was made by another version of limrisk ({}; this is "
                        "{}), or one of the two results is wrong: run `limrisk selftest`. ({})",
                        defect.what(), store.campaign().version, LIMRISK_VERSION, command.store));
    }
}

/// Proves what is missing, and stores every block when it is done. Nothing, or the exit code of a signal.
std::optional<ExitCode> prove_missing(const LimitsCommand& command, const Store& store, const std::vector<LimitTask>& tasks) {
    const std::vector<CellConfig> cells = configs_to_train(tasks);
    if (cells.empty()) return std::nullopt;
    DocumentWriter writer(command.store);  // from now on: nobody else's writing may lose what takes hours
    const std::unique_ptr<Backend> backend = make_backend(command.backend, cells, command.json);
    note(fmt::format("limits of trials of {} of {} cells; {}; store {}\n", cells.size(), tasks.size(), backend->description(),
                     command.store));
    const StopSignals signals;
    LimitWork work(tasks);
    try {
        for (const LimitTask& task : tasks) {
            if (task.missing.empty()) continue;
            if (signals.first_signal() != 0 || !prove_cell(command, store, task, *backend, writer, signals, work)) {
                work.finish();
                std::vector<std::string> words = command.words;
                std::erase(words, "--again");  // it would begin anew
                note(fmt::format("stopped by {}: the limits of {} of {} trials are stored in {}\nTo continue: {}\n",
                                 signal_name(signals.first_signal()), work.trials_done(), work.trials_total(), command.store,
                                 shell_command(words)));
                return signal_exit_code(signals.first_signal());
            }
            work.next_cell(task);
        }
    } catch (...) {
        work.finish();
        throw;
    }
    work.finish();
    return std::nullopt;
}

ExitCode limits(const LimitsCommand& command) {
    const Store store = Store::open(command.store);
    std::optional<OutputFile> csv;  // a name that must not be written is found out before the work
    if (!command.csv.empty()) csv.emplace(command.csv, command.force);
    const bool csv_alone = csv && csv->is_stdout();
    if (csv_alone && command.json) throw Error(ExitCode::Usage, "--json and --csv - both write to standard output; give --csv a file name");
    std::vector<LimitTask> tasks = limit_tasks_of(command, store);
    find_missing(command, tasks);
    if (const std::optional<ExitCode> stopped = prove_missing(command, store, tasks)) return *stopped;

    const LimitScan scan(Store::open(command.store));
    std::vector<CellLimits> cells;
    for (const LimitTask& task : tasks)
        if (const auto statement = scan.statement(task.cell, task.trials(), store.stopping().has_value()))
            cells.push_back({task.cell, *statement, scan.limits(task.cell)});
    if (csv) {
        csv->write(limits_csv(cells));
        csv->commit();
    }
    if (!csv_alone) print(command.json ? limits_json(cells) : limits_table(cells));
    return ExitCode::Done;
}

}  // namespace

void add_limits(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<LimitsCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand(
        "limits", "prove where gradient descent on fixed points ends (sgd, relu, constant rate), trial by trial; saved in the store");
    command->add_option("STORE", options->store, "a store that `limrisk run` wrote")->required();
    command->add_option("--trials", options->trials, "number of trials per cell, from trial 0; default: all that count")
        ->type_name("N")
        ->transform(whole_number(1, INT64_MAX));
    command->add_option("--cell", options->cells, "numbers of the cells, as `limrisk summary` shows them; default: all")
        ->type_name("K")
        ->transform(whole_number(0, INT64_MAX));
    command->add_flag("--again", options->again, "prove again even if limits are stored");
    command->add_flag("--json", options->json, "as JSON");
    add_output_options(*command, "--csv", "also write a row per trial to this file", options->csv, options->force);
    add_backend_options(*command, options->backend);
    command->footer(examples({"limrisk limits campaign.db", "limrisk limits campaign.db --trials 20 --csv limits.csv --json"}));
    command->callback([&action, options] { action = [options] { return limits(*options); }; });
}

}  // namespace limrisk::cli
