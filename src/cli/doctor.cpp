// limrisk doctor: what was built, what this machine offers, what is missing and why.
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>

#include "backend/backend.hpp"
#include "backend/cuda/describe_devices.hpp"
#include "backend/processors.hpp"
#include "cli/backend_choice.hpp"
#include "cli/command.hpp"
#include "cli/file_system.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "report/gnuplot.hpp"

namespace limrisk::cli {
namespace {

std::string row(const char* name, const std::string& value) { return fmt::format("{:<18}{}\n", name, value); }

/// The value of the first line "key : value" of a file under /proc; empty if there is none.
std::string proc_value(const char* path, const std::string& key) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.compare(0, key.size(), key) != 0) continue;
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
        return begin == std::string::npos ? "" : line.substr(begin);
    }
    return "";
}

std::string gibibytes(double bytes) { return fmt::format("{:.1f} GiB", bytes / (1024.0 * 1024 * 1024)); }

std::string memory_text() {
    const double total = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
    const std::string available = proc_value("/proc/meminfo", "MemAvailable");
    const std::string free =
        available.empty() ? "" : fmt::format(", {} available", gibibytes(1024 * std::strtod(available.c_str(), nullptr)));
    return gibibytes(total) + free;
}

std::string processors_text() {
    const ProcessorLimits limits = processor_limits();
    std::string text = fmt::format("{} processors, {} of them available to this process (affinity)", limits.machine, limits.allowed);
    if (limits.quota) text += fmt::format(", cgroup quota {:.3g}", *limits.quota);
    return text + fmt::format("; --threads is {} by default", limits.usable());
}

/// The instruction sets. Without FMA instructions, on x86, each fused multiply-add is a function call.
std::string isas_text() {
#if defined(LIMRISK_X86)
    constexpr const char* of_portable = " (for processors without AVX2 and FMA: same results, about 60 times slower)";
#else
    constexpr const char* of_portable = "";
#endif
    std::string text;
    const std::vector<Isa> isas = available_isas();
    for (const Isa isa : {Isa::Portable, Isa::Avx2, Isa::Avx512}) {
        bool there = false;
        for (const Isa available : isas) there = there || available == isa;
        const char* remark = isa == Isa::Portable ? of_portable : there ? "" : " (not offered by this processor or build)";
        text += fmt::format("{}{}{}", text.empty() ? "" : ", ", isa_name(isa), remark);
    }
    return text;
}

/// What a run would use here; an error of LIMRISK_ISA is a finding, not the end of the report.
std::string chosen_backend() {
    const char* forced = std::getenv("LIMRISK_ISA");
    const std::string remark = forced && *forced ? fmt::format(" (LIMRISK_ISA={})", forced) : " (LIMRISK_ISA is not set)";
    try {
        return choose_backend({}, {}, backend_makers()).backend->description() + remark;
    } catch (const Error& error) {
        return fmt::format("PROBLEM: {}", error.what());
    }
}

/// The program that draws the figures of `limrisk report`.
std::string gnuplot_text() {
    try {
        return find_gnuplot().string();
    } catch (const Error& error) {
        return fmt::format("PROBLEM: {}", error.what());
    }
}

std::string store_rows(const std::filesystem::path& directory) {
    const FileSystemReport report = inspect_directory(directory);
    std::string text = row("directory", directory.string());
    text += row("file system", fmt::format("{}, {} free of {}", report.kind, gibibytes(report.free_bytes), gibibytes(report.total_bytes)));
    if (report.network) text += row("", "a network file system: safe for one writer at a time if its locks work; a local disk is faster");
    text += row("store here", report.problem.empty() ? "works: a file could be created, locked, written, synced and removed"
                                                     : "PROBLEM: " + report.problem);
    return text;
}

ExitCode doctor(const std::string& store) {
    std::string text = "limrisk\n";
    text += row("  version", LIMRISK_VERSION);
    text += row("  compiler", LIMRISK_COMPILER);
    text += row("  build type", LIMRISK_BUILD_TYPE);
    text += row("  libraries", fmt::format("SQLite {}, fmt {}.{}.{}, CLI11 {}", sqlite3_libversion(), FMT_VERSION / 10000,
                                           FMT_VERSION / 100 % 100, FMT_VERSION % 100, CLI11_VERSION));
    const std::string processor = proc_value("/proc/cpuinfo", "model name");
    text += "machine\n";
    text += row("  processor", processor.empty() ? "unknown" : processor);
    text += row("  threads", processors_text());
    text += row("  memory", memory_text());
    text += row("  instructions", isas_text());
    text += "backends\n";
    text += row("  in use", chosen_backend());
    for (const auto& [name, value] : cuda::describe_cuda()) text += row(("  " + name).c_str(), value);
    text += "report\n";
    text += row("  gnuplot", gnuplot_text());
    text += "store\n";
    const std::filesystem::path parent = std::filesystem::path(store).parent_path();
    const std::string rows = store_rows(store.empty() || parent.empty() ? std::filesystem::current_path() : parent);
    for (std::size_t begin = 0; begin < rows.size();) {
        const std::size_t end = rows.find('\n', begin) + 1;
        text += "  " + rows.substr(begin, end - begin);
        begin = end;
    }
    print(text);
    return ExitCode::Done;
}

}  // namespace

void add_doctor(CLI::App& app, Action& action) {
    const auto store = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("doctor", "show features of the build, hardware found, and what is missing");
    command->add_option("--store", *store, "check the directory of this store; default: the current directory")->type_name("FILE");
    command->footer(examples({"limrisk doctor", "limrisk doctor --store campaign.db"}));
    command->callback([&action, store] { action = [store] { return doctor(*store); }; });
}

}  // namespace limrisk::cli
