// Reads ptxas's report, of the form (ptxas 11 to 13; the second line is indented with or without "ptxas ."):
//   ptxas info    : Compiling entry function 'train' for 'sm_90'
//   ptxas info    : Function properties for train
//   ptxas         .     384 bytes stack frame, 804 bytes spill stores, 816 bytes spill loads
//   ptxas info    : Used 64 registers, used 1 barriers, 384 bytes cumulative stack size, 400 bytes smem, 360 bytes cmem[0]
#include "backend/cuda/kernel_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "limrisk/error.hpp"

namespace limrisk::cuda {
namespace {

constexpr std::string_view entry_mark = "Compiling entry function '", function_mark = "Function properties for ", used_mark = ": Used ";

[[noreturn]] void refuse(std::string_view line) {
    throw Defect(
        fmt::format("the report of ptxas on a kernel is not as expected near \"{}\"; this version of the compiler is not known", line));
}

/// The whole number that stands right before `unit`, which begins with a space, from `start` on.
std::optional<std::int64_t> number_before(std::string_view line, std::string_view unit, std::size_t start = 0) {
    const std::size_t end = line.find(unit, start);
    if (end == std::string_view::npos) return std::nullopt;
    std::size_t begin = end;
    while (begin > 0 && line[begin - 1] >= '0' && line[begin - 1] <= '9') --begin;
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(line.data() + begin, line.data() + end, number);
    if (error != std::errc{} || rest != line.data() + end) refuse(line);
    return number;
}

std::int64_t required(std::string_view line, std::string_view unit) {
    const auto number = number_before(line, unit);
    if (!number) refuse(line);
    return *number;
}

/// Sum over the banks of constant memory, " bytes cmem[0]", " bytes cmem[2]", ...
std::int64_t constant_bytes(std::string_view line) {
    constexpr std::string_view unit = " bytes cmem[";
    std::int64_t sum = 0;
    for (std::size_t at = 0; const auto bank = number_before(line, unit, at); at = line.find(unit, at) + unit.size()) sum += *bank;
    return sum;
}

void read_usage(std::string_view line, KernelResources& kernel) {
    kernel.registers = required(line, " registers");
    kernel.shared_bytes = number_before(line, " bytes smem").value_or(0);
    kernel.constant_bytes = constant_bytes(line);
}

}  // namespace

std::vector<KernelResources> parse_kernel_resources(std::string_view log) {
    std::vector<KernelResources> functions;
    std::string_view entry;               // the kernel being compiled
    std::optional<std::size_t> frame_of;  // function whose stack frame comes next
    bool used = true;                     // the kernel's registers were seen
    for (std::size_t begin = 0; begin < log.size();) {
        const std::size_t end = std::min(log.find('\n', begin), log.size());
        const std::string_view line = log.substr(begin, end - begin);
        begin = end + 1;
        if (const std::size_t mark = line.find(entry_mark); mark != std::string_view::npos) {
            if (!used || frame_of) refuse(line);
            entry = line.substr(mark + entry_mark.size());
            if (entry.find('\'') == std::string_view::npos) refuse(line);
            entry = entry.substr(0, entry.find('\''));
            used = false;
        } else if (const std::size_t properties = line.find(function_mark); properties != std::string_view::npos) {
            if (frame_of) refuse(line);
            KernelResources function;
            function.name = line.substr(properties + function_mark.size());
            function.kernel = function.name == entry;
            frame_of = functions.size();
            functions.push_back(std::move(function));
        } else if (frame_of) {
            KernelResources& function = functions[*frame_of];
            function.stack_bytes = required(line, " bytes stack frame");
            function.spill_store_bytes = required(line, " bytes spill stores");
            function.spill_load_bytes = required(line, " bytes spill loads");
            frame_of.reset();
        } else if (line.find(used_mark) != std::string_view::npos) {
            const auto kernel =
                std::find_if(functions.rbegin(), functions.rend(), [&](const auto& f) { return f.kernel && f.name == entry; });
            if (used || kernel == functions.rend()) refuse(line);
            read_usage(line, *kernel);
            used = true;
        }
    }
    if (!used || frame_of) refuse("the end of the log");
    return functions;
}

}  // namespace limrisk::cuda
