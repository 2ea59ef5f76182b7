// limrisk replay: one stored trial again, with its trajectory; its end must be the stored record, bit for bit.
#include <fmt/format.h>

#include <memory>

#include "analysis/cell_axes.hpp"
#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/trial_difference.hpp"
#include "report/export.hpp"
#include "store/store.hpp"
#include "text/number_text.hpp"

namespace limrisk::cli {
namespace {

struct ReplayCommand {
    std::string store, csv, parameters;
    bool force = false;
    std::int64_t cell = 0, trial = 0;
    BackendChoice backend;
};

/// What the store knows of the trial: its record, or the aggregate of a range with it.
struct StoredTrial {
    std::optional<TrialRecord> record;
    std::optional<Aggregate> aggregate;
    BlockParameters parameters = {};  ///< that it keeps
};

StoredTrial stored_trial(const Store& store, const ReplayCommand& command) {
    std::int64_t trials = 0;
    const auto holds = [&](const BlockKey& key) {
        trials += key.count;
        return key.first_trial <= command.trial && command.trial < key.first_trial + key.count;
    };
    if (store.contents() == StoreContents::Summary) {
        for (StoredAggregate& part : store.aggregates(command.cell)) {
            if (holds(part.key)) return {std::nullopt, std::move(part.aggregate)};
        }
    } else {
        for (const BlockKey& key : store.blocks()) {
            if (key.cell != command.cell || !holds(key)) continue;
            const std::int64_t place = command.trial - key.first_trial;
            BlockParameters parameters = store.read_parameters(key);
            for (ParameterColumns& columns : parameters)
                columns = cut_parameters(store.cells()[static_cast<std::size_t>(key.cell)], columns, place, 1);
            return {store.read_block(key)[static_cast<std::size_t>(place)], std::nullopt, std::move(parameters)};
        }
    }
    throw Error(ExitCode::Usage,
                fmt::format("--trial {}: not among the {} trials of cell {} in {}", command.trial, trials, command.cell, command.store));
}

CellConfig stored_cell(const Store& store, const ReplayCommand& command) {
    for (const CellConfig& cell : store.cells())
        if (cell.index == command.cell) return cell;
    throw Error(ExitCode::Usage, fmt::format("--cell {}: {} has the cells 0 to {}; `limrisk summary` shows them", command.cell,
                                             command.store, static_cast<std::int64_t>(store.cells().size()) - 1));
}

/// How the parameters of the replay differ from those that the store keeps, in words; empty if they do not.
std::string kept_difference(const CellConfig& cell, const KeptParameters& keep, const TrialParameters& now, const BlockParameters& stored) {
    for (std::size_t kind = 0; kind < parameter_kinds; ++kind)
        if (keep.kinds[kind] && pack_parameters(cell, now[kind], 1) != stored[kind])
            return fmt::format("the {} parameters of the replay are not those in the store", parameter_kind_names[kind]);
    return "";
}

std::string trajectory_csv(const std::vector<CheckRecord>& checks) {
    std::string text = "step,risk,gradient_norm,parameter_norm,inactive,constant,linear,kinked,inactive_on_data\n";
    for (const CheckRecord& check : checks)
        text += fmt::format("{},{},{},{},{},{},{},{},{}\n", check.step, check.risk, check.gradient_norm, check.parameter_norm,
                            check.inactive, check.constant, check.linear, check.kinked, check.inactive_on_data);
    return text;
}

std::string trajectory_table(const CellConfig& cell, const std::vector<CheckRecord>& checks) {
    std::string text = fmt::format("{:>12} {:>14} {:>14} {:>14} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "step", "risk", "gradient norm",
                                   "param. norm", "inactive", "constant", "linear", "kinked", "on data");
    for (const CheckRecord& check : checks)
        text +=
            fmt::format("{:>12} {:>14.8g} {:>14.6g} {:>14.8g} {:>8} {:>8} {:>8} {:>8} {:>8}\n", check.step, check.risk, check.gradient_norm,
                        check.parameter_norm, check.inactive, check.constant, check.linear, check.kinked, check.inactive_on_data);
    return text + (cell.has_data() ? "(inactive, constant, linear: at all data points)\n"
                                   : "(on data: neurons inactive on the data but not on the box)\n");
}

std::string cell_line(const CellConfig& cell, std::int64_t trial) {
    return fmt::format("cell {}, trial {}: {}\n", cell.index, trial, fmt::join(cell_phrases(cell), ", "));
}

ExitCode replay(const ReplayCommand& command) {
    if (command.force && command.csv.empty() && command.parameters.empty())
        throw Error(ExitCode::Usage, "--force: no file is written; give --csv or --parameters");
    if (command.csv == standard_output_name && command.parameters == standard_output_name)
        throw Error(ExitCode::Usage, "--csv - and --parameters - both write to standard output; give one of them a file name");
    const Store store = Store::open(command.store);
    const CellConfig config = stored_cell(store, command);
    const StoredTrial stored = stored_trial(store, command);
    std::optional<OutputFile> csv, parameters;
    if (!command.csv.empty()) csv.emplace(command.csv, command.force);
    if (!command.parameters.empty()) parameters.emplace(command.parameters, command.force);
    const std::unique_ptr<Backend> backend = make_backend(command.backend, {config});
    const CellPlan plan(config);
    WorkStatus status;
    const std::optional<BlockResult> result =
        backend->run({&plan, command.trial, 1}, status, {.checks = true, .states = parameters.has_value(), .parameters = store.keep()});
    if (!result || result->records.size() != 1 || result->checks.size() != 1) throw Defect("the backend returned no trajectory");

    const TrialRecord& now = result->records.front();
    const std::vector<CheckRecord>& checks = result->checks.front();
    const auto say = (csv && csv->is_stdout()) || (parameters && parameters->is_stdout()) ? note : print;
    if (csv) {
        csv->write(trajectory_csv(checks));
        csv->commit();
    }
    std::string text = cell_line(config, command.trial);
    if (!csv) text += trajectory_table(config, checks);
    text += fmt::format("final risk {}, best risk {} at step {}, verdict {}", now.final_risk, now.best_risk, now.best_step,
                        verdict_name(now.verdict));
    if (now.nonfinite_step != 0)
        text += fmt::format(" at step {}", now.nonfinite_step);
    else if (now.last_step < config.steps)
        text += fmt::format(", ended at step {}", now.last_step);
    if (config.has_average())
        text += fmt::format(
            "\naverage of the iterates, {}: risk {}, neurons: {} inactive, {} constant, {} linear, {} kinked, {} inactive on the data only",
            config.average_label, now.average_risk, now.average_inactive, now.average_constant, now.average_linear, now.average_kinked,
            now.average_inactive_on_data);
    if (config.has_validation())
        text += fmt::format("\nvalidation risk {}, on {} held out; of the best network {}", now.validation_risk,
                            counted(config.data->validation->count, "point"), now.best_validation_risk);
    if (config.has_validation() && config.has_average()) text += fmt::format("; of the average {}", now.average_validation_risk);
    if (config.kinks)
        text += fmt::format("\n{} crossed a training point; largest displacement of a kink {}", counted(now.kinks_crossed, "kink"),
                            now.kink_displacement);
    say(text + "\n");
    std::string difference =
        stored.record ? stored_difference(now, "the replay", *stored.record) : contradiction(*stored.aggregate, command.trial, now);
    if (difference.empty()) difference = kept_difference(config, store.keep(), result->parameters, stored.parameters);
    if (!difference.empty())
        throw Defect(
            fmt::format("cell {}, trial {}: {}.\nEither the store was made by another version of limrisk ({}; this is {}), or one "
                        "of the two results is wrong: run `limrisk selftest`.",
                        command.cell, command.trial, difference, store.campaign().version, LIMRISK_VERSION));
    if (parameters) {
        if (result->states.size() != 1) throw Defect("the backend returned no network");
        export_parameters(config, result->states.front().initial_parameters, result->states.front().parameters, *parameters);
        parameters->commit();
    }
    say(stored.record ? (store.keep().any() ? "the result equals the stored record and parameters bit for bit\n"
                                            : "the result equals the stored record bit for bit\n")
                      : "the store has only summaries: no record to compare with; the result is consistent with the summary\n");
    return ExitCode::Done;
}

}  // namespace

void add_replay(CLI::App& app, Action& action) {
    const auto options = std::make_shared<ReplayCommand>();
    CLI::App* command = app.add_subcommand("replay", "train one stored trial again, print its trajectory, compare with the store");
    command->add_option("STORE", options->store, "a store that `limrisk run` wrote")->required();
    command->add_option("--cell", options->cell, "number of the cell, as `limrisk summary` shows it")
        ->type_name("K")
        ->required()
        ->transform(whole_number(0, INT64_MAX));
    command->add_option("--trial", options->trial, "number of the trial, from 0")
        ->type_name("N")
        ->required()
        ->transform(whole_number(0, INT64_MAX));
    CLI::Option* const csv =
        add_output_options(*command, "--csv", "write the trajectory to this file instead of a table", options->csv, options->force);
    command->get_option("--force")->remove_needs(csv);  // or for the parameters
    command->add_option("--parameters", options->parameters, "write the first and the last parameters to this file (NPZ); - for stdout")
        ->type_name("FILE");
    add_backend_options(*command, options->backend);
    command->footer(
        examples({"limrisk replay campaign.db --cell 1 --trial 5", "limrisk replay campaign.db --cell 0 --trial 0 --csv trajectory.csv",
                  "limrisk replay campaign.db --cell 0 --trial 0 --parameters network.npz"}));
    command->callback([&action, options] { action = [options] { return replay(*options); }; });
}

}  // namespace limrisk::cli
