// The CPU backend: a block is cut into warps of 32 lanes, each run from its first step to its last by the kernels of one instruction set.
#include <algorithm>
#include <cstdlib>
#include <new>
#include <thread>

#include <fmt/format.h>

#include "backend/backend.hpp"
#include "backend/cpu/kernel_table.hpp"
#include "limrisk/error.hpp"

namespace limrisk {
namespace {

const cpu::KernelTable& kernels_of(Isa isa) {
#if defined(LIMRISK_X86)
    if (isa == Isa::Avx512) return cpu::avx512_kernels;
    if (isa == Isa::Avx2) return cpu::avx2_kernels;
#endif
    return cpu::portable_kernels;
}

std::string names_of(const std::vector<Isa>& isas) {
    std::string names;
    for (const Isa isa : isas) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
    return names;
}

/// Memory aligned for the widest registers.
class ArenaMemory {
public:
    explicit ArenaMemory(std::size_t bytes) : start_(static_cast<char*>(::operator new(std::max<std::size_t>(bytes, 64), alignment))) {}
    ~ArenaMemory() { ::operator delete(start_, alignment); }
    ArenaMemory(const ArenaMemory&) = delete;
    ArenaMemory& operator=(const ArenaMemory&) = delete;
    char* start() const { return start_; }

private:
    static constexpr std::align_val_t alignment{64};
    char* start_;
};

class CpuBackend : public Backend {
public:
    CpuBackend(int threads, Isa isa) : threads_(threads), isa_(isa) {}

    std::string description() const override {
        return fmt::format("cpu: {}, {} thread{}", isa_name(isa_), threads_, threads_ == 1 ? "" : "s");
    }
    int concurrency() const override { return threads_; }

    std::optional<BlockResult> run(const WorkItem& item, WorkStatus& status, const BlockOptions& options) override {
        const kernels::Cell& cell = item.plan->cell();
        const cpu::KernelTable& kernels = kernels_of(isa_);
        const auto count = static_cast<std::size_t>(item.count);
        const auto checks = static_cast<std::size_t>(cell.checks) + 1;
        const auto parameters = static_cast<std::size_t>(kernels::parameter_count(cell.width, cell.dimension));
        std::vector<CheckRecord> check_records(options.checks ? count * checks : 0);
        std::vector<double> states[4];
        if (options.states)
            for (std::vector<double>& state : states) state.assign(count * parameters, 0.0);
        BlockResult result;
        result.records.resize(count);

        const ArenaMemory arena(kernels.arena_bytes(cell));
        const std::size_t per_warp = static_cast<std::size_t>(32 / cell.tile.lanes);
        for (std::size_t first = 0; first < count; first += per_warp) {
            const std::size_t replicas = std::min(per_warp, count - first);
            Progress progress{&status, static_cast<std::int64_t>(replicas)};
            cpu::WarpTask task{};
            task.cell = &cell;
            task.first_trial = item.first_trial + static_cast<std::int64_t>(first);
            task.replicas = static_cast<int>(replicas);
            task.arena = arena.start();
            task.records = result.records.data() + first;
            if (options.checks) task.checks = check_records.data() + first * checks;
            if (options.states) {
                task.initial_parameters = states[0].data() + first * parameters;
                task.parameters = states[1].data() + first * parameters;
                task.first_state = states[2].data() + first * parameters;
                task.second_state = states[3].data() + first * parameters;
            }
            task.advance = &Progress::advance;
            task.context = &progress;
            if (!kernels.run_warp(task)) return std::nullopt;
        }

        for (std::size_t i = 0; options.checks && i < count; ++i)
            result.checks.emplace_back(check_records.begin() + static_cast<std::ptrdiff_t>(i * checks),
                                       check_records.begin() + static_cast<std::ptrdiff_t>((i + 1) * checks));
        const auto slice = [&](const std::vector<double>& all, std::size_t i) {
            return std::vector<double>(all.begin() + static_cast<std::ptrdiff_t>(i * parameters),
                                       all.begin() + static_cast<std::ptrdiff_t>((i + 1) * parameters));
        };
        for (std::size_t i = 0; options.states && i < count; ++i)
            result.states.push_back({slice(states[0], i), slice(states[1], i), slice(states[2], i), slice(states[3], i)});
        return result;
    }

private:
    struct Progress {
        WorkStatus* status;
        std::int64_t replicas;
        static bool advance(void* context, std::int64_t steps) {
            const auto* progress = static_cast<Progress*>(context);
            progress->status->replica_steps.fetch_add(steps * progress->replicas, std::memory_order_relaxed);
            return !progress->status->abandon.load(std::memory_order_relaxed);
        }
    };

    int threads_;
    Isa isa_;
};

Isa isa_from_environment() {
    const std::vector<Isa> available = available_isas();
    const char* name = std::getenv("LIMRISK_ISA");
    if (!name || !*name) return available.back();
    for (const Isa isa : {Isa::Portable, Isa::Avx2, Isa::Avx512}) {
        if (std::string(name) != isa_name(isa)) continue;
        if (std::find(available.begin(), available.end(), isa) != available.end()) return isa;
        throw DeviceError(fmt::format("LIMRISK_ISA={}: this processor or build does not offer it; available: {}", name, names_of(available)));
    }
    throw Error(ExitCode::Usage, fmt::format("LIMRISK_ISA={}: no such instruction set; allowed: portable, avx2, avx512", name));
}

}  // namespace

const char* isa_name(Isa isa) {
    switch (isa) {
        case Isa::Avx512: return "avx512";
        case Isa::Avx2: return "avx2";
        case Isa::Portable: break;
    }
    return "portable";
}

std::vector<Isa> available_isas() {
    std::vector<Isa> isas{Isa::Portable};
#if defined(LIMRISK_X86)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) isas.push_back(Isa::Avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        isas.push_back(Isa::Avx512);
#endif
    return isas;
}

std::unique_ptr<Backend> make_cpu_backend(int threads, std::optional<Isa> isa) {
    if (threads < 0) throw Error(ExitCode::Usage, fmt::format("{} threads: at least 1, or 0 for all cores", threads));
    if (threads == 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    const Isa chosen = isa ? *isa : isa_from_environment();
    const std::vector<Isa> available = available_isas();
    if (std::find(available.begin(), available.end(), chosen) == available.end())
        throw DeviceError(fmt::format("instruction set {}: not offered by this processor or build; available: {}", isa_name(chosen), names_of(available)));
    return std::make_unique<CpuBackend>(threads, chosen);
}

}  // namespace limrisk
