// Micro benchmark of the CPU backend: replica-steps per second of one thread, for each instruction set, optimizer, activation, width and
// precision, and what the default tracking costs. `limrisk bench` is the benchmark for users; this one is for work on the kernels.
#include <benchmark/benchmark.h>

#include <string>

#include "backend/backend.hpp"

namespace {

using namespace limrisk;

/// The standard cell of the peers: width 32, d = 1, batch 32, float32, SGD, fresh samples; the default schedule of checks.
CellConfig standard_cell() {
    CellConfig cell;
    cell.target = "x1^2 + 2*x1";
    cell.width = 32;
    cell.batch = 32;
    cell.steps = 10000;
    cell.optimizer.kind = kernels::OptimizerKind::Sgd;
    cell.learning_rate = {0.05, 0};
    cell.evaluation.check_nodes = 64;
    return cell;
}

void run_cell(benchmark::State& state, const CellConfig& config, Isa isa) {
    constexpr std::int64_t trials = 256;
    const CellPlan plan(config);
    const auto backend = make_cpu_backend(1, isa);
    for (auto iteration : state) {
        WorkStatus status;
        benchmark::DoNotOptimize(backend->run({&plan, 0, trials}, status));
    }
    const double replica_steps = static_cast<double>(state.iterations()) * static_cast<double>(trials * config.steps);
    state.counters["replica_steps"] = benchmark::Counter(replica_steps, benchmark::Counter::kIsRate);
}

void add(const std::string& name, const CellConfig& config, Isa isa) {
    benchmark::RegisterBenchmark((name + "/" + isa_name(isa)).c_str(), [config, isa](benchmark::State& state) {
        run_cell(state, config, isa);
    })->Unit(benchmark::kMillisecond);
}

void add_optimizers(Isa isa) {
    for (const kernels::OptimizerTraits& optimizer : kernels::optimizer_table) {
        CellConfig cell = standard_cell();
        cell.optimizer = kernels::example_of(optimizer.kind);
        cell.learning_rate.initial = 0.01;
        add(optimizer.name, cell, isa);
    }
}

void add_activations(Isa isa) {
    for (const kernels::ActivationTraits& activation : kernels::activation_table) {
        CellConfig cell = standard_cell();
        cell.activation = kernels::example_of(activation.kind);
        add(activation.name, cell, isa);
    }
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
    for (const Isa isa : available_isas()) {
        CellConfig cell = standard_cell();
        add("standard", cell, isa);
        cell.checks = cell.tail = 1;
        add("standard_one_check", cell, isa);
        cell = standard_cell();
        cell.precision = kernels::Precision::Float64;
        add("float64", cell, isa);
        for (const std::int64_t width : {1, 2, 4, 8, 16, 64, 256}) {
            cell = standard_cell();
            cell.width = width;
            add("width" + std::to_string(width), cell, isa);
        }
        add_optimizers(isa);
        add_activations(isa);
    }
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
