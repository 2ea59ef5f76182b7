// limrisk slurm: a script that submits the shards of a campaign as an array of jobs, and the merge of their stores after them.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/campaign_options.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/shell_words.hpp"
#include "store/counted_trials.hpp"

namespace limrisk::cli {
namespace {

struct SlurmCommand {
    CampaignOptions campaign;
    std::int64_t jobs = 0, gpus = 0, cpus = 1;
    std::string time, store, out = "-";
    bool force = false;
    std::vector<std::string> words;
};

/// Fit for the name of a job and a directory in every place of the script.
std::string plain(std::string name) {
    for (char& c : name) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && c != '_' && c != '-' && c != '.') c = '_';
    }
    return name.empty() || name.front() == '-' || name.front() == '.' ? "campaign" + name : name;
}

/// The program as jobs find it: by PATH, unless it was called by a path.
std::string program(const std::vector<std::string>& words) {
    const bool by_path = words.front().find('/') != std::string::npos;
    return by_path ? std::filesystem::absolute(words.front()).lexically_normal().string() : "limrisk";
}

/// The options of the command line that make it another campaign.
std::vector<std::string> changes(const CampaignOptions& campaign) {
    std::vector<std::string> words;
    const auto add = [&](const char* option, const std::string& value) { words.insert(words.end(), {option, value}); };
    if (campaign.trials_given->count() > 0) add("--trials", std::to_string(campaign.trials));
    if (campaign.steps_given->count() > 0) add("--steps", std::to_string(campaign.steps));
    if (!campaign.seed.empty()) add("--seed", campaign.seed);
    for (const std::string& assignment : campaign.set) add("--set", assignment);
    return words;
}

/// Ten minutes before Slurm ends the job, or a tenth of its time if that is less.
std::chrono::seconds limit_of(std::chrono::seconds time) {
    return time - std::min<std::chrono::seconds>(std::chrono::minutes(10), time / 10);
}

std::string script(const SlurmCommand& command, const Campaign& campaign) {
    const std::chrono::seconds time = time_span("--time", command.time);
    const std::string name = plain(std::filesystem::path(command.campaign.path).stem().string()), folder = name + "-shards",
                      limrisk = program(command.words);
    std::vector<std::string> run{limrisk, "run", command.campaign.path};
    for (std::string& word : changes(command.campaign)) run.push_back(std::move(word));
    const std::string all = command.store.empty() ? name + ".db" : command.store;
    return fmt::format(R"(#!/bin/bash
# In {jobs} shards on Slurm: {size}. Written by: {command}
# Submit it from the directory in which `limrisk run` would be typed: bash THIS_FILE
#
# Each task of the array computes its share of the blocks into a store of its own. A task that is out of time (exit code 75) and one whose
# node failed are queued again and go on where they were stopped. When all are complete, one job merges their stores into {all}.
set -euo pipefail

mkdir -p {folder}

shards=$(sbatch --parsable <<'SHARD'
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{jobs}
#SBATCH --time={time}
#SBATCH --cpus-per-task={cpus}
{gpus}#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={folder}/shard-%a.log
{run} \
    --store "{folder}/shard-$SLURM_ARRAY_TASK_ID.db" --shard "$SLURM_ARRAY_TASK_ID/{jobs}" \
    --time-limit {limit} {device} --quiet
code=$?
if [ "$code" -eq 75 ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$code"
SHARD
)

merge=$(sbatch --parsable --dependency="afterok:$shards" --kill-on-invalid-dep=yes <<'MERGE'
#!/bin/bash
#SBATCH --job-name={name}-merge
#SBATCH --time={time}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={folder}/merge.log
set -e
{merge} {folder}/shard-*.db
{summary}
MERGE
)

echo "array $shards, then merge $merge"
)",
                       fmt::arg("name", name), fmt::arg("size", size_text(campaign)), fmt::arg("jobs", command.jobs),
                       fmt::arg("command", shell_command(command.words)), fmt::arg("all", all), fmt::arg("folder", folder),
                       fmt::arg("time", time_text(time)), fmt::arg("cpus", command.cpus),
                       fmt::arg("gpus", command.gpus > 0 ? fmt::format("#SBATCH --gpus-per-task={}\n", command.gpus) : ""),
                       fmt::arg("device", command.gpus > 0 ? "--backend cuda" : "--threads \"$SLURM_CPUS_PER_TASK\""),
                       fmt::arg("run", shell_command(run)), fmt::arg("limit", time_text(limit_of(time))),
                       fmt::arg("merge", shell_command({limrisk, "merge", all})),
                       fmt::arg("summary", shell_command({limrisk, "summary", all})));
}

ExitCode slurm(const SlurmCommand& command) {
    const Campaign campaign = load(command.campaign);
    refuse_rule_of_sums(campaign);
    refuse_shards(campaign);
    const std::string text = script(command, campaign);
    if (command.out == standard_output_name) {
        print(text);
        return ExitCode::Done;
    }
    OutputFile file(command.out, command.force);
    file.write(text);
    file.commit();
    note(fmt::format("{}: {}; submit it with: {}\n", command.out, size_text(campaign), shell_command({"bash", command.out})));
    return ExitCode::Done;
}

}  // namespace

void add_slurm(CLI::App& app, Action& action, const std::vector<std::string>& words) {
    const auto options = std::make_shared<SlurmCommand>();
    options->words = words;
    CLI::App* command = app.add_subcommand("slurm", "write a script that runs a campaign in shards on a Slurm cluster");
    add_campaign_options(*command, options->campaign);
    command->add_option("--jobs", options->jobs, "number of shards, a task of the array each")
        ->type_name("N")
        ->required()
        ->transform(whole_number(1, 1'000'000));
    command->add_option("--time", options->time, "time limit of a task")->type_name("[D-]H:MM:SS")->required();
    command->add_option("--cpus", options->cpus, "CPUs of a task, a thread on each; with --gpus for what leads the GPUs")
        ->type_name("N")
        ->transform(whole_number(1, 4096))
        ->capture_default_str();
    command->add_option("--gpus", options->gpus, "GPUs of a task")->type_name("N")->transform(whole_number(1, 64));
    command->add_option("--store", options->store, "store of all shards; default: name of the campaign file with .db")->type_name("FILE");
    add_output_options(*command, "--out", "file for the script; default: standard output", options->out, options->force);
    command->footer(examples({"limrisk slurm campaign.toml --jobs 64 --time 4:00:00",
                              "limrisk slurm campaign.toml --jobs 8 --time 1-00:00:00 --cpus 4 "
                              "--gpus 1 --out job.sh"}));
    command->callback([&action, options] { action = [options] { return slurm(*options); }; });
}

}  // namespace limrisk::cli
