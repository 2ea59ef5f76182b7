// Answers bench/peers/compare about the CPU backend (its steps only) and about C++ written for one purpose. A request is
// a line of JSON on standard input, its answer a line on standard output; bench/peers/peer.py describes them.
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
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

/// Of the steps alone: a run of one step, which has the start, the check and the verdicts, is taken off.
double limrisk_seconds(Backend& backend, const expert::Cell& cell, std::int64_t steps) {
    const auto run = [&](std::int64_t count) {
        const CellPlan plan(config_of(cell, count));
        WorkStatus status;
        const double start = processor_seconds();
        backend.run({&plan, 0, trials}, status, {});
        return processor_seconds() - start;
    };
    const double whole = run(steps + 1);
    return whole - run(1);
}

constexpr std::pair<const char*, expert::Form> forms[] = {
    {"samples", expert::Form::Samples}, {"lanes", expert::Form::Lanes}, {"lanes, philox", expert::Form::Philox}};

expert::Form form_of(const std::string& variant) {
    for (const auto& [name, form] : forms)
        if (variant == name) return form;
    throw std::invalid_argument("unknown variant '" + variant + "'");
}

expert::Cell cell_of(const nlohmann::json& cell) {
    return {cell.at("width"), cell.at("dimension"), cell.at("batch"), cell.at("optimizer") == "adam", cell.at("precision") == "float64"};
}

/// {replicas, replica_steps, seconds} of a run of about `seconds`; the steps of a (cell, variant) are found at its first run.
class Timing {
public:
    nlohmann::json operator()(const nlohmann::json& request) {
        const expert::Cell cell = cell_of(request.at("cell"));
        const std::string variant = request.at("variant");
        const bool ours = variant == "limrisk";
        const auto run = [&](std::int64_t steps) {
            return ours ? limrisk_seconds(*backend_, cell, steps) : expert::seconds(form_of(variant), cell, steps);
        };
        const double seconds = request.at("seconds");
        std::int64_t& steps = steps_[request.at("cell").dump() + variant + std::to_string(seconds)];
        if (steps == 0) {
            steps = 16;
            for (double spent = run(steps); spent < 0.7 * seconds; spent = run(steps)) steps *= spent < seconds / 16 ? 8 : 2;
        }
        const double spent = run(steps);
        const std::int64_t replicas = ours ? trials : expert::replicas(form_of(variant), cell);
        return {{"replicas", replicas}, {"replica_steps", replicas * steps}, {"seconds", spent}};
    }
    std::string backend() const { return backend_->description(); }

private:
    std::unique_ptr<Backend> backend_ = make_cpu_backend(1);
    std::map<std::string, std::int64_t> steps_;
};

nlohmann::json answer(const nlohmann::json& request, Timing& timing) {
    const std::string what = request.at("do");
    if (what == "versions") return {{"limrisk", timing.backend()}, {"compiler", "g++ " __VERSION__}};
    if (what == "variants") return {{"variants", {"limrisk", forms[0].first, forms[1].first, forms[2].first}}};
    if (what == "train")
        return {{"parameters",
                 expert::trained(form_of(request.at("variant")), cell_of(request.at("cell")),
                                 request.at("parameters").get<std::vector<double>>(), request.at("samples").get<std::vector<double>>())}};
    if (what == "time") return timing(request);
    throw std::invalid_argument("unknown request '" + what + "'");
}

}  // namespace

int main() {
    Timing timing;
    for (std::string line; std::getline(std::cin, line);) {
        nlohmann::json reply;
        try {
            reply = answer(nlohmann::json::parse(line), timing);
        } catch (const std::exception& error) {
            reply = {{"error", error.what()}};
        }
        std::cout << reply << '\n' << std::flush;
    }
}
