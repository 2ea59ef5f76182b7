// limrisk bench: throughput of standard cells, and what the default tracking costs of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "campaign/campaign.hpp"
#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "driver/calibration.hpp"
#include "driver/cost_model.hpp"
#include "driver/progress.hpp"

namespace limrisk::cli {
namespace {

struct StandardCell {
    const char* name;
    int width, dimension, batch;
    const char* activation;
    const char* optimizer;
    const char* precision;
};

constexpr const char* sgd = "{ name = \"sgd\", learning_rate = 0.01 }";
constexpr const char* adam = "{ name = \"adam\", learning_rate = 0.001 }";
constexpr StandardCell standard_cells[] = {
    {"h=32 d=1 sgd", 32, 1, 32, "relu", sgd, "float32"},     {"h=32 d=1 adam", 32, 1, 32, "relu", adam, "float32"},
    {"h=64 d=1 sgd", 64, 1, 64, "relu", sgd, "float32"},     {"h=64 d=2 sgd", 64, 2, 64, "relu", sgd, "float32"},
    {"h=64 d=3 sgd", 64, 3, 64, "relu", sgd, "float32"},     {"h=64 d=4 sgd", 64, 4, 64, "relu", sgd, "float32"},
    {"h=64 d=1 adam", 64, 1, 64, "relu", adam, "float32"},   {"h=64 d=2 adam", 64, 2, 64, "relu", adam, "float32"},
    {"h=64 d=3 adam", 64, 3, 64, "relu", adam, "float32"},   {"h=64 d=4 adam", 64, 4, 64, "relu", adam, "float32"},
    {"h=32 d=1 tanh", 32, 1, 32, "tanh", sgd, "float32"},    {"h=32 d=1 float64", 32, 1, 32, "relu", sgd, "float64"},
    {"h=1024 d=1 sgd", 1024, 1, 32, "relu", sgd, "float32"},
};

constexpr std::int64_t default_steps = 10000;

/// The campaign reader's own defaults, so that what is measured is what users get.
CellConfig configuration(const StandardCell& cell) {
    return parse_campaign(
               fmt::format("name = \"bench\"\ntrials = 1\nsteps = {}\nprecision = \"{}\"\n"
                           "[problem]\ninput = {{ law = \"uniform\", dimension = {}, low = 0.0, high = 1.0 }}\ntarget = \"x1^2 + 2*x1\"\n"
                           "[network]\nwidth = {}\nactivation = \"{}\"\n[training]\nbatch = {}\noptimizer = {}\n",
                           default_steps, cell.precision, cell.dimension, cell.width, cell.activation, cell.batch, cell.optimizer),
               "bench")
        .cells.at(0);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

struct Measurement {
    double replica_steps_per_second, sample_neurons_per_second;
    double tracking_share;  ///< of the time at the default 64 checks, against the same with a single one
    int rounds;
    std::int64_t steps;  ///< of a trial
};

/// Runs of a cell: at least three with all checks and three with one.
constexpr int least_runs = 6;

/// Steps and checks of a cell are divided by this, up to 16, if its fewest runs would take far longer than the time asked for.
int shrinking_of(double least_seconds, double seconds) { return static_cast<int>(std::clamp(0.05 * least_seconds / seconds, 1.0, 16.0)); }

Measurement measure(const StandardCell& standard, Backend& backend, double seconds) {
    CellConfig config = configuration(standard);
    // Full SIMD registers of a CPU, whole fillings of a GPU, as many as fit the time asked for.
    const double round = seconds / 8;
    const double trial_seconds = measured_trial_seconds(config, backend, std::min(0.05, round));
    const std::int64_t fewest = trials_at_full_speed(CellPlan(config), backend);
    const int shrinking = shrinking_of(least_runs * trial_seconds * static_cast<double>(fewest), seconds);
    config.steps /= shrinking;
    config.checks /= shrinking;
    config.tail = std::min(config.tail, config.checks);
    CellConfig untracked = config;
    untracked.checks = untracked.tail = 1;
    const CellPlan plan(config), untracked_plan(untracked);
    const double fewest_seconds = trial_seconds / shrinking * static_cast<double>(fewest);
    // What the one check that is left of every `checks` hides of the share, against 1 of 64.
    const double share_scale = (1 - 1.0 / (config.checks * shrinking)) / (1 - 1.0 / config.checks);
    const std::int64_t trials = fewest * std::max<std::int64_t>(1, static_cast<std::int64_t>(round / fewest_seconds));

    std::vector<double> tracked_seconds, shares;
    double spent = 0;
    while (tracked_seconds.size() < least_runs / 2 || spent < seconds) {
        tracked_seconds.push_back(timed_trials(plan, backend, trials, backend.concurrency()));
        const double without = timed_trials(untracked_plan, backend, trials, backend.concurrency());
        shares.push_back(share_scale * (1 - without / tracked_seconds.back()));
        spent += tracked_seconds.back() + without;
    }
    const double work = static_cast<double>(trials) * backend.concurrency() / median(tracked_seconds);
    return {work * replica_steps(config), work * sample_neurons(config), median(shares), static_cast<int>(shares.size()), config.steps};
}

/// Share of the issue limit that the sample-neurons alone take; NaN where the count of instructions is not known or the limit is not.
double issue_share(const StandardCell& cell, const Measurement& result, const Backend& backend) {
    if (backend.issue_limit() == 0 || std::string_view(cell.activation) != "relu" || std::string_view(cell.precision) != "float32")
        return std::numeric_limits<double>::quiet_NaN();
    return result.sample_neurons_per_second * static_cast<double>(kernels::instructions_per_sample_neuron(cell.dimension)) /
           backend.issue_limit();
}

ExitCode bench(const BackendChoice& choice, double seconds, bool json) {
    std::vector<CellConfig> configurations;
    for (const StandardCell& cell : standard_cells) configurations.push_back(configuration(cell));
    const std::unique_ptr<Backend> backend = make_backend(choice, configurations);
    using nlohmann::ordered_json;
    ordered_json cells = ordered_json::array();
    if (!json)
        print(fmt::format("{}; steps 10000, 64 checks, batch as shown; medians\n{:<18} {:>6} {:>16} {:>17} {:>9}{}\n",
                          backend->description(), "cell", "batch", "replica-steps/s", "sample-neurons/s", "tracking",
                          backend->issue_limit() > 0 ? fmt::format(" {:>14}", "of issue limit") : ""));
    std::int64_t fewest_steps = default_steps;
    for (const StandardCell& cell : standard_cells) {
        const Measurement result = measure(cell, *backend, seconds);
        fewest_steps = std::min(fewest_steps, result.steps);
        const double share = issue_share(cell, result, *backend);
        if (!json)
            print(fmt::format("{:<18} {:>6} {:>16} {:>17} {:>7.1f} %{}\n", cell.name, cell.batch,
                              speed_text(result.replica_steps_per_second), speed_text(result.sample_neurons_per_second),
                              100 * result.tracking_share, std::isnan(share) ? "" : fmt::format(" {:>12.1f} %", 100 * share)));
        cells.push_back({{"cell", cell.name},
                         {"width", cell.width},
                         {"dimension", cell.dimension},
                         {"batch", cell.batch},
                         {"activation", cell.activation},
                         {"precision", cell.precision},
                         {"replica_steps_per_second", result.replica_steps_per_second},
                         {"sample_neurons_per_second", result.sample_neurons_per_second},
                         {"tracking_share", result.tracking_share},
                         {"issue_share", std::isnan(share) ? ordered_json() : ordered_json(share)},
                         {"rounds", result.rounds}});
    }
    if (!json && fewest_steps < default_steps)
        print(fmt::format("with so little time cells were measured over fewer steps, as few as {}, and checks in proportion\n",
                          fewest_steps));
    if (!json && backend->issue_limit() > 0)
        print(fmt::format("issue limit: {} lane instructions/s; a sample and neuron counts 3 d + 4 of them\n",
                          speed_text(backend->issue_limit())));
    if (json)
        print(ordered_json{{"backend", backend->description()},
                           {"version", LIMRISK_VERSION},
                           {"issue_limit", backend->issue_limit()},
                           {"cells", cells}}
                  .dump(2) +
              "\n");
    return ExitCode::Done;
}

}  // namespace

void add_bench(CLI::App& app, Action& action) {
    const auto choice = std::make_shared<BackendChoice>();
    const auto seconds = std::make_shared<double>(1);
    const auto json = std::make_shared<bool>(false);
    CLI::App* command = app.add_subcommand("bench", "measure the throughput of standard cells, and the share of time spent on checks");
    add_backend_options(*command, *choice);
    command
        ->add_option("--seconds", *seconds,
                     "approximate measuring time per cell, in seconds; with little of it, cells are measured over fewer steps")
        ->type_name("S")
        ->check(decimal_number(0.001, 3600))
        ->capture_default_str();
    command->add_flag("--json", *json, "as JSON");
    command->footer(examples({"limrisk bench --seconds 0.01 --threads 1", "limrisk bench --seconds 0.01 --json"}));
    command->callback([&action, choice, seconds, json] { action = [=] { return bench(*choice, *seconds, *json); }; });
}

}  // namespace limrisk::cli
