// limrisk trajectories: what the first trials of every cell did on the way, trained again, checked against the store, and kept in it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>

#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/progress_display.hpp"
#include "cli/shell_words.hpp"
#include "cli/signals.hpp"
#include "cli/trajectory_text.hpp"
#include "cli/trial_difference.hpp"
#include "driver/cost_model.hpp"
#include "store/counted_trials.hpp"
#include "store/document_writer.hpp"
#include "store/store.hpp"
#include "trajectory/compute.hpp"
#include "trajectory/steps.hpp"

namespace limrisk::cli {
namespace {

struct TrajectoriesCommand {
    std::string store, spacing = "logarithmic", csv;
    std::int64_t trials = 256, points = 64;
    std::vector<std::int64_t> cells;  ///< none: all
    int threads = 0;
    bool again = false, json = false, force = false;
    std::vector<std::string> words;
};

/// One cell: what is asked of it, and its trajectory once there is one.
struct CellTask {
    CellConfig cell;
    std::int64_t trials = 0;  ///< 0: the store has none
    std::vector<std::int64_t> steps;
    std::optional<CellTrajectory> trajectory;
};

/// What the store says against a new record of each of the first trials.
std::function<std::string(std::int64_t, const TrialRecord&)> contradictions(const Store& store, const CellTask& task) {
    if (store.contents() == StoreContents::Summary) {
        const auto aggregate = std::make_shared<Aggregate>(store.aggregates(task.cell.index).front().aggregate);
        return [aggregate](std::int64_t trial, const TrialRecord& record) { return contradiction(*aggregate, trial, record); };
    }
    const auto records = std::make_shared<std::vector<TrialRecord>>();
    store.for_each_block(task.cell.index, [&](const BlockKey&, const std::vector<TrialRecord>& block) {
        records->insert(records->end(), block.begin(), block.end());
        return static_cast<std::int64_t>(records->size()) < task.trials;
    });
    return [records](std::int64_t trial, const TrialRecord& record) {
        return stored_difference(record, "the trial trained again", records->at(static_cast<std::size_t>(trial)));
    };
}

std::vector<CellTask> tasks_of(const TrajectoriesCommand& command, const Store& store) {
    const StepSpacing spacing = command.spacing == "linear" ? StepSpacing::Linear : StepSpacing::Logarithmic;
    const auto known = static_cast<std::int64_t>(store.cells().size());
    for (const std::int64_t cell : command.cells)
        if (cell >= known)
            throw Error(ExitCode::Usage,
                        fmt::format("--cell {}: {} has the cells 0 to {}; `limrisk summary` shows them", cell, command.store, known - 1));
    const std::vector<std::int64_t> stored_trials = gapless_trials(store);
    std::vector<CellTask> tasks;
    for (const CellConfig& stored : store.cells()) {
        if (!command.cells.empty() && std::find(command.cells.begin(), command.cells.end(), stored.index) == command.cells.end()) continue;
        if (stored.has_own_points()) {
            const std::string text = fmt::format(
                "cell {}: every trial draws its own data points; trajectories hold networks against one target, so they are not computed. "
                "`limrisk replay {} --cell {} --trial N` shows a single trial",
                stored.index, command.store, stored.index);
            if (!command.cells.empty()) throw Error(ExitCode::Usage, text);
            note(text + "\n");
            continue;
        }
        CellTask& task = tasks.emplace_back();
        task.cell = stored;
        task.trials = std::min(command.trials, stored_trials[static_cast<std::size_t>(stored.index)]);
        task.steps = trajectory_steps(task.cell.steps, command.points, spacing);
    }
    return tasks;
}

/// Whether it is of the steps asked for, up to the last one that a trial was trained to.
bool has_steps_of(const CellTrajectory& trajectory, const CellTask& task) {
    const auto end = task.cell.stop.any() ? std::upper_bound(task.steps.begin(), task.steps.end(), trajectory.last_step) : task.steps.end();
    return std::equal(trajectory.steps.begin(), trajectory.steps.end(), task.steps.begin(), end);
}

/// Takes from the store what is there of the same trials and steps.
void read_stored(const TrajectoriesCommand& command, std::vector<CellTask>& tasks) {
    std::map<std::string, CellTrajectory> stored;
    for (const StoredDocument& document : Store::open(command.store).documents(document_kind::trajectory))
        stored.emplace(document.id, trajectory_from_json(document.text));
    for (CellTask& task : tasks) {
        const auto found = stored.find(task.cell.id);
        if (found != stored.end() && found->second.trials == task.trials && has_steps_of(found->second, task))
            task.trajectory = found->second;
    }
}

/// The work of all cells, and how far it is.
class Work {
public:
    explicit Work(const std::vector<CellTask>& tasks) {
        now_.cells_total = static_cast<std::int64_t>(tasks.size());
        for (const CellTask& task : tasks) {
            const double cost = trial_cost(task.cell) * static_cast<double>(task.trials);
            now_.cost_total += cost;
            if (!is_due(task)) now_.cost_before += cost, ++now_.cells_done;
        }
        to_compute_ = now_.cells_total - now_.cells_done;
    }
    static bool is_due(const CellTask& task) { return !task.trajectory && task.trials > 0; }
    std::int64_t to_compute() const { return to_compute_; }

    void show(const CellTask& task, double replica_steps, double share) {
        Progress progress = now_;
        progress.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
        progress.cost_done += share * trial_cost(task.cell) * static_cast<double>(task.trials);
        progress.replica_steps += replica_steps;
        latest_steps_ = replica_steps;
        display_.show(progress);
    }
    void cell_done(const CellTask& task) {
        now_.cost_done += trial_cost(task.cell) * static_cast<double>(task.trials);
        now_.replica_steps += latest_steps_;
        latest_steps_ = 0;
        ++now_.cells_done;
    }
    void finish() { display_.finish(); }

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Progress now_;  ///< finished cells
    std::int64_t to_compute_ = 0;
    double latest_steps_ = 0;
    ProgressDisplay display_;
};

std::optional<CellTrajectory> compute(const Store& store, const CellTask& task, Backend& backend, const StopSignals& signals, Work& work) {
    TrajectoryRequest request;
    request.trials = task.trials;
    request.steps = task.steps;
    request.contradiction = contradictions(store, task);
    request.stop_requests = &signals.requests();
    request.on_progress = [&](double replica_steps, double share) { work.show(task, replica_steps, share); };
    try {
        return compute_trajectory(task.cell, request, backend);
    } catch (const Defect& defect) {
        throw Defect(
            fmt::format("{}.\nNothing of this cell was stored. Either the store was made by another version of limrisk ({}; this is "
                        "{}), or one of the two results is wrong: run `limrisk selftest`.",
                        defect.what(), store.campaign().version, LIMRISK_VERSION));
    }
}

/// Computes what is missing, and stores each cell when it is done. False if it was stopped.
bool compute_missing(const TrajectoriesCommand& command, const Store& store, std::vector<CellTask>& tasks, const StopSignals& signals) {
    Work work(tasks);
    if (work.to_compute() == 0) return true;
    DocumentWriter writer(command.store);  // from now on: nobody else's writing may lose what takes hours
    const std::unique_ptr<Backend> backend = make_cpu_backend(command.threads);
    note(fmt::format("trajectories of {} of {} cells; {}; store {}\n", work.to_compute(), tasks.size(), backend->description(),
                     command.store));
    try {
        for (CellTask& task : tasks) {
            if (!Work::is_due(task)) continue;
            std::optional<CellTrajectory> trajectory;
            if (signals.first_signal() == 0) trajectory = compute(store, task, *backend, signals, work);
            if (!trajectory) {
                work.finish();
                return false;
            }
            writer.write({{document_kind::trajectory, task.cell.id, 0, task.cell.description, trajectory_to_json(*trajectory), "", ""}});
            task.trajectory = std::move(trajectory);
            work.cell_done(task);
        }
    } catch (...) {
        work.finish();
        throw;
    }
    work.finish();
    return true;
}

ExitCode stopped(const TrajectoriesCommand& command, const std::vector<CellTask>& tasks, int signal) {
    const auto done = std::count_if(tasks.begin(), tasks.end(), [](const CellTask& task) { return task.trajectory.has_value(); });
    note(fmt::format("stopped by {}: the trajectories of {} of {} cells {} in {}\n{}", signal_name(signal), done, tasks.size(),
                     command.again ? "were computed again and are stored" : "are stored", command.store, how_to_continue(command.words)));
    return signal_exit_code(signal);
}

ExitCode trajectories(const TrajectoriesCommand& command) {
    const Store store = Store::open(command.store);
    std::vector<CellTask> tasks = tasks_of(command, store);
    std::optional<OutputFile> csv;  // a name that must not be written is found out before the work
    if (!command.csv.empty()) csv.emplace(command.csv, command.force);
    const bool csv_alone = csv && csv->is_stdout();
    if (csv_alone && command.json) throw Error(ExitCode::Usage, "--json and --csv - both write to standard output; give --csv a file name");
    if (!command.again) read_stored(command, tasks);
    {
        const StopSignals signals;  // while it computes; what prints afterwards, signals end as usual
        if (!compute_missing(command, store, tasks, signals)) return stopped(command, tasks, signals.first_signal());
    }
    std::vector<CellWithTrajectory> cells;
    for (CellTask& task : tasks) {
        if (task.trajectory)
            cells.push_back({std::move(task.cell), std::move(*task.trajectory)});
        else
            note(fmt::format("cell {}: no trials from 0 on are stored\n", task.cell.index));
    }
    if (csv) {
        csv->write(trajectory_csv(cells));
        csv->commit();
    }
    if (!csv_alone) print(command.json ? trajectory_json(cells) : trajectory_table(cells));
    return ExitCode::Done;
}

}  // namespace

void add_trajectories(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<TrajectoriesCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand("trajectories", "compute means and quantiles over trials during training; saved in the store");
    command->add_option("STORE", options->store, "a store that `limrisk run` wrote")->required();
    command->add_option("--trials", options->trials, "number of trials per cell, from trial 0 (all, if fewer are stored); default: 256")
        ->type_name("N")
        ->transform(whole_number(1, 16384));
    command->add_option("--points", options->points, "number of steps to record; default: 64")
        ->type_name("N")
        ->transform(whole_number(2, 1024));
    command->add_option("--spacing", options->spacing, "logarithmic (default) or linear")
        ->type_name("KIND")
        ->check(CLI::IsMember({"logarithmic", "linear"}));
    command->add_option("--cell", options->cells, "numbers of the cells, as `limrisk summary` shows them; default: all")
        ->type_name("K")
        ->transform(whole_number(0, INT64_MAX));
    command->add_flag("--again", options->again, "compute again even if they are stored");
    command->add_flag("--json", options->json, "as JSON, with all steps");
    add_output_options(*command, "--csv", "also write all steps to this file", options->csv, options->force);
    command->add_option("--threads", options->threads, "number of threads; default: one per available processor")
        ->type_name("N")
        ->transform(whole_number(1, 4096));
    command->footer(
        examples({"limrisk trajectories campaign.db", "limrisk trajectories campaign.db --cell 0 2 --trials 64 --spacing linear",
                  "limrisk trajectories campaign.db --csv trajectories.csv --json"}));
    command->callback([&action, options] { action = [options] { return trajectories(*options); }; });
}

}  // namespace limrisk::cli
