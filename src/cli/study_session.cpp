// See study_session.hpp.
#include "cli/study_session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>

#include "campaign/block_size.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "cli/shell_words.hpp"
#include "cli/signals.hpp"
#include "driver/cost_model.hpp"
#include "store/counted_trials.hpp"
#include "store/document_writer.hpp"

namespace limrisk::cli {
namespace {

/// One cell that is asked about.
struct StudyTask {
    CellConfig cell;
    std::vector<std::uint64_t> fingerprints;  ///< of all trials that count
    std::int64_t trials = 0;                  ///< that are asked for, of them
    std::vector<TrialRange> missing;          ///< of them, in blocks
    std::int64_t counted() const { return static_cast<std::int64_t>(fingerprints.size()); }
    std::int64_t missing_trials() const {
        std::int64_t sum = 0;
        for (const TrialRange& range : missing) sum += range.count;
        return sum;
    }
    std::int64_t known_trials() const { return std::max<std::int64_t>(0, trials - missing_trials()); }
};

/// The cells asked for; those of which it cannot be asked are left out, and it is said why.
std::vector<StudyTask> tasks_of(const StudyCommand& command, const TrialStudy& study, const Store& store) {
    if (store.contents() != StoreContents::Trials)
        throw Error(ExitCode::Usage, fmt::format("{} has only summaries; {} are found trial by trial, in a store with all trials "
                                                 "(store = \"trials\")",
                                                 command.store, study.noun));
    const auto known = static_cast<std::int64_t>(store.cells().size());
    for (const std::int64_t cell : command.cells)
        if (cell >= known)
            throw Error(ExitCode::Usage,
                        fmt::format("--cell {}: {} has the cells 0 to {}; `limrisk summary` shows them", cell, command.store, known - 1));
    std::vector<StudyTask> tasks;
    for (const CellConfig& cell : store.cells()) {
        if (!command.cells.empty() && std::find(command.cells.begin(), command.cells.end(), cell.index) == command.cells.end()) continue;
        if (const std::string reason = study.not_asked(cell); !reason.empty()) {
            const std::string text = fmt::format("cell {}: {}", cell.index, reason);
            if (!command.cells.empty()) throw Error(ExitCode::Usage, text);
            note(text + "; left out\n");
            continue;
        }
        StudyTask& task = tasks.emplace_back();
        task.cell = cell;
        for_each_counted_trial(store, cell.index,
                               [&](std::int64_t, const TrialRecord& record) { task.fingerprints.push_back(record.fingerprint); });
        task.trials = std::min(command.trials, task.counted());
        if (task.fingerprints.empty()) note(fmt::format("cell {}: no trials from 0 on are stored\n", cell.index));
    }
    return tasks;
}

/// What of each cell is not in the store, in the cell's own blocks, which do not depend on what is asked for.
void find_missing(const StudyCommand& command, const TrialStudy& study, std::vector<StudyTask>& tasks) {
    std::map<std::pair<std::string, std::int64_t>, std::int64_t> stored;  // trials, by cell and first trial
    for (const StoredDocument& document : Store::open(command.store).documents(study.document))
        stored[{document.id, document.number}] = study.trials_of(document.text, document.number);
    for (StudyTask& task : tasks) {
        const std::int64_t block = block_trials(task.cell);
        for (std::int64_t first = 0; first < task.trials; first += block) {
            const auto found = stored.find({task.cell.id, first});
            const std::int64_t asked = std::min(block, task.trials - first), known = found == stored.end() ? 0 : found->second;
            // What is done again is never less than what is there.
            if (command.again || known < asked) task.missing.push_back({first, std::min(std::max(asked, known), task.counted() - first)});
        }
    }
}

/// Progress over all cells.
class StudyWork {
public:
    explicit StudyWork(const std::vector<StudyTask>& tasks) {
        now_.cells_total = static_cast<std::int64_t>(tasks.size());
        for (const StudyTask& task : tasks) {
            now_.cost_total += cost(task, task.known_trials() + task.missing_trials());
            now_.cost_before += cost(task, task.known_trials());
            now_.trials_total += task.known_trials() + task.missing_trials();
            now_.trials_done += task.known_trials();
            if (task.missing.empty()) ++now_.cells_done;
        }
    }
    void done(const StudyTask& task, std::int64_t trials) {
        now_.trials_done += trials;
        done_in_cell_ += trials;
        if (done_in_cell_ == task.missing_trials()) ++now_.cells_done;
    }
    void show(const StudyTask& task, double replica_steps) {
        const double all = static_cast<double>(task.missing_trials()) * static_cast<double>(task.cell.steps);
        Progress progress = now_;
        progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        progress.cost_done += cost(task, task.missing_trials()) * std::min(1.0, replica_steps / all);
        progress.replica_steps += replica_steps;
        latest_steps_ = replica_steps;
        display_.show(progress);
    }
    void next_cell(const StudyTask& task) {
        now_.cost_done += cost(task, task.missing_trials());
        now_.replica_steps += latest_steps_;
        latest_steps_ = 0;
        done_in_cell_ = 0;
    }
    std::int64_t trials_done() const { return now_.trials_done; }
    std::int64_t trials_total() const { return now_.trials_total; }
    void finish() { display_.finish(); }

private:
    static double cost(const StudyTask& task, std::int64_t trials) { return trial_cost(task.cell) * static_cast<double>(trials); }

    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Progress now_;
    std::int64_t done_in_cell_ = 0;
    double latest_steps_ = 0;
    ProgressDisplay display_;
};

std::vector<CellConfig> configs_to_train(const std::vector<StudyTask>& tasks) {
    std::vector<CellConfig> cells;
    for (const StudyTask& task : tasks)
        if (!task.missing.empty()) cells.push_back(task.cell);
    return cells;
}

bool study_cell(const StudyCommand& command, const TrialStudy& study, const Store& store, const StudyTask& task, Backend& backend,
                DocumentWriter& writer, const StopSignals& signals, StudyWork& work) {
    const CellPlan plan(task.cell);
    StudyRequest request;
    request.ranges = task.missing;
    request.fingerprints = &task.fingerprints;
    request.stop_requests = &signals.requests();
    request.on_done = [&](const TrialRange& range, std::string document) {
        writer.write({{study.document, task.cell.id, range.first, task.cell.description, std::move(document), "", ""}});
        work.done(task, range.count);
    };
    request.on_progress = [&](double replica_steps) { work.show(task, replica_steps); };
    try {
        return study_trials(plan, study, request, backend);
    } catch (const Defect& defect) {
        throw Defect(
            fmt::format("{}.\nThis block was not stored. Either the store was made by another version of limrisk ({}; this is "
                        "{}), or one of the two results is wrong: run `limrisk selftest`. ({})",
                        defect.what(), store.campaign().version, LIMRISK_VERSION, command.store));
    }
}

std::optional<ExitCode> study_missing(const StudyCommand& command, const TrialStudy& study, const Store& store,
                                      const std::vector<StudyTask>& tasks) {
    const std::vector<CellConfig> cells = configs_to_train(tasks);
    if (cells.empty()) return std::nullopt;
    DocumentWriter writer(command.store);  // from now on: nobody else's writing may lose what takes hours
    const std::unique_ptr<Backend> backend = make_backend(command.backend, cells, command.json);
    note(fmt::format("{} of trials of {} of {} cells; {}; store {}\n", study.noun, cells.size(), tasks.size(), backend->description(),
                     command.store));
    const StopSignals signals;
    StudyWork work(tasks);
    try {
        for (const StudyTask& task : tasks) {
            if (task.missing.empty()) continue;
            if (signals.first_signal() != 0 || !study_cell(command, study, store, task, *backend, writer, signals, work)) {
                work.finish();
                note(fmt::format("stopped by {}: the {} of {} of {} trials {} in {}\n{}", signal_name(signals.first_signal()), study.noun,
                                 work.trials_done(), work.trials_total(), command.again ? "were done again and are stored" : "are stored",
                                 command.store, how_to_continue(command.words)));
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

/// STORE, --trials, --cell, --again, --json, --csv and those of backends.
void add_options(CLI::App& app, StudyCommand& command) {
    app.add_option("STORE", command.store, "a store that `limrisk run` wrote")->required();
    app.add_option("--trials", command.trials, "number of trials per cell, from trial 0; default: all that count")
        ->type_name("N")
        ->transform(whole_number(1, INT64_MAX));
    app.add_option("--cell", command.cells, "numbers of the cells, as `limrisk summary` shows them; default: all")
        ->type_name("K")
        ->transform(whole_number(0, INT64_MAX));
    app.add_flag("--again", command.again, "do it again for trials whose results are stored");
    app.add_flag("--json", command.json, "as JSON");
    add_output_options(app, "--csv", "also write a row per trial to this file", command.csv, command.force);
    add_backend_options(app, command.backend);
}

}  // namespace

void add_study(CLI::App& app, Action& action, const std::vector<std::string>& words, const std::string& name, const std::string& meaning,
               std::initializer_list<const char*> lines, ExitCode (*run)(const StudyCommand&)) {
    const auto options = std::make_shared<StudyCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand(name, meaning);
    add_options(*command, *options);
    command->footer(examples(lines));
    command->callback([&action, options, run] { action = [options, run] { return run(*options); }; });
}

std::optional<ExitCode> run_study(const StudyCommand& command, const TrialStudy& study, std::vector<StudiedCell>& cells) {
    const Store store = Store::open(command.store);
    std::vector<StudyTask> tasks = tasks_of(command, study, store);
    find_missing(command, study, tasks);
    if (const std::optional<ExitCode> stopped = study_missing(command, study, store, tasks)) return stopped;
    for (const StudyTask& task : tasks) cells.push_back({task.cell, task.trials});
    return std::nullopt;
}

std::unique_ptr<OutputFile> open_csv(const StudyCommand& command) {
    if (command.csv.empty()) return nullptr;
    auto csv = std::make_unique<OutputFile>(command.csv, command.force);
    if (csv->is_stdout() && command.json)
        throw Error(ExitCode::Usage, "--json and --csv - both write to standard output; give --csv a file name");
    return csv;
}

}  // namespace limrisk::cli
