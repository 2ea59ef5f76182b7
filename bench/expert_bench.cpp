// The CPU backend against hand-written C++ for one purpose, cell by cell on one core: SGD and Adam, widths 8 to 512, batches 32 and 256;
// d = 4; float64. Runs alternate; medians. Usage: expert_bench [--rounds N] [--seconds S] [--json]
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ctime>
#include <nlohmann/json.hpp>
#include <random>
#include <string>

#include "backend/backend.hpp"
#include "expert_step.hpp"

namespace {

using namespace limrisk;

constexpr std::int64_t trials = 2 * cpu_group_trials;

CellConfig config_of(const expert::Cell& cell, std::int64_t steps) {
    CellConfig config;
    config.target = "x1^2 + 2*x1";
    config.width = cell.width;
    config.input.dimension = cell.dimension;
    config.batch = cell.batch;
    config.precision = cell.float64 ? kernels::Precision::Float64 : kernels::Precision::Float32;
    config.optimizer.kind = cell.adam ? kernels::OptimizerKind::Adam : kernels::OptimizerKind::Sgd;
    if (cell.adam) config.optimizer = kernels::example_of(kernels::OptimizerKind::Adam);
    config.learning_rate = {cell.adam ? 0.001 : 0.01, 0};
    config.steps = steps;
    config.checks = config.tail = 1;
    config.evaluation = {8, 8};
    return config;
}

double processor_seconds() {
    std::timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double limrisk_seconds(Backend& backend, const expert::Cell& cell, std::int64_t steps) {
    const CellPlan plan(config_of(cell, steps));
    WorkStatus status;
    const double start = processor_seconds();
    backend.run({&plan, 0, trials}, status, {});
    return processor_seconds() - start;
}

/// Steps for about `seconds` of a run.
template <class Run>
std::int64_t steps_for(double seconds, Run run) {
    std::int64_t steps = 16;
    for (double spent = run(steps); spent < seconds / 2; spent = run(steps)) steps *= spent < seconds / 16 ? 8 : 2;
    return steps;
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// Largest difference of the parameters after ten steps from those of one network in float64, relative to the largest of them.
double error_of(expert::Form form, expert::Cell cell) {
    std::mt19937 generator(3);
    std::uniform_real_distribution<double> uniform(0, 1);
    std::vector<double> parameters(static_cast<std::size_t>((cell.dimension + 2) * cell.width + 1)),
        samples(static_cast<std::size_t>(cell.batch * cell.dimension));
    for (double& x : parameters) x = (2 * uniform(generator) - 1) / std::sqrt(cell.width);
    for (double& x : samples) x = uniform(generator);
    const std::vector<double> found = expert::trained(form, cell, parameters, samples, 10);
    cell.float64 = true;
    const std::vector<double> truth = expert::trained(expert::Form::Samples, cell, parameters, samples, 10);
    double error = 0, largest = 0;
    for (std::size_t i = 0; i < truth.size(); ++i) {
        error = std::max(error, std::abs(found[i] - truth[i]));
        largest = std::max(largest, std::abs(truth[i]));
    }
    return error / largest;
}

std::vector<expert::Cell> cells() {
    std::vector<expert::Cell> all;
    for (const bool adam : {false, true})
        for (const int width : {8, 32, 128, 512})
            for (const int batch : {32, 256}) all.push_back({width, 1, batch, adam, false});
    all.push_back({64, 4, 64, false, false});
    all.push_back({64, 4, 64, true, false});
    all.push_back({32, 1, 32, false, true});
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    int rounds = 5;
    double seconds = 0.2;
    bool as_json = false;
    for (int i = 1; i < argc; ++i) {
        if (!std::strcmp(argv[i], "--json"))
            as_json = true;
        else if (!std::strcmp(argv[i], "--rounds") && i + 1 < argc)
            rounds = std::max(1, std::atoi(argv[++i]));
        else if (!std::strcmp(argv[i], "--seconds") && i + 1 < argc)
            seconds = std::atof(argv[++i]);
        else
            return fmt::print(stderr, "usage: expert_bench [--rounds N] [--seconds S] [--json]\n"), 64;
    }
    constexpr std::pair<expert::Form, const char*> forms[] = {
        {expert::Form::Samples, "samples"}, {expert::Form::Lanes, "lanes"}, {expert::Form::Philox, "lanes, philox"}};
    const auto backend = make_cpu_backend(1);
    nlohmann::json output{{"backend", backend->description()}, {"cells", nlohmann::json::array()}};
    if (!as_json)
        fmt::print("{}; replica-steps/s; in brackets: how many times as fast limrisk is\n{:<24}{:>10}{:>20}{:>20}{:>20}\n",
                   backend->description(), "cell", "limrisk", forms[0].second, forms[1].second, forms[2].second);
    double log_ratios[3] = {};
    for (const expert::Cell& cell : cells()) {
        const std::string name = fmt::format("h={} d={} M={} {}{}", cell.width, cell.dimension, cell.batch, cell.adam ? "adam" : "sgd",
                                             cell.float64 ? " float64" : "");
        for (const auto& [form, label] : forms)
            if (const double error = error_of(form, cell); !(error < 1e-4))
                return fmt::print(stderr, "expert_bench: {}: {} differs from float64 by {}\n", name, label, error), 70;
        const auto ours = [&](std::int64_t steps) { return limrisk_seconds(*backend, cell, steps); };
        const std::int64_t our_steps = steps_for(seconds, ours);
        std::int64_t steps[3];
        for (int f = 0; f < 3; ++f) steps[f] = steps_for(seconds, [&](std::int64_t n) { return expert::seconds(forms[f].first, cell, n); });
        std::vector<double> our_speeds, ratios[3], speeds[3];
        for (int round = 0; round < rounds; ++round) {
            our_speeds.push_back(static_cast<double>(trials * our_steps) / ours(our_steps));
            for (int f = 0; f < 3; ++f) {
                speeds[f].push_back(static_cast<double>(expert::replicas(forms[f].first, cell) * steps[f]) /
                                    expert::seconds(forms[f].first, cell, steps[f]));
                ratios[f].push_back(our_speeds.back() / speeds[f].back());
            }
        }
        nlohmann::json row{{"cell", name}, {"limrisk", median(our_speeds)}};
        std::string line = fmt::format("{:<24}{:>10.2e}", name, median(our_speeds));
        for (int f = 0; f < 3; ++f) {
            line += fmt::format("{:>12.2e} [{:5.2f}]", median(speeds[f]), median(ratios[f]));
            row[forms[f].second] = {{"replica_steps_per_second", median(speeds[f])}, {"limrisk_is", median(ratios[f])}};
            log_ratios[f] += std::log(median(ratios[f])) / static_cast<double>(cells().size());
        }
        output["cells"].push_back(row);
        if (!as_json) fmt::print("{}\n", line), std::fflush(stdout);
    }
    std::string line = fmt::format("{:<34}", "geometric mean of the ratios");
    for (int f = 0; f < 3; ++f) {
        line += fmt::format("{:>12} [{:5.2f}]", "", std::exp(log_ratios[f]));
        output["geometric_mean"][forms[f].second] = std::exp(log_ratios[f]);
    }
    fmt::print("{}\n", as_json ? output.dump(2) : line);
    return 0;
}
