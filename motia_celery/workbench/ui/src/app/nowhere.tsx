import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/empty";

/** What is shown at an address that leads nowhere. */
export function Nowhere() {
  return (
    <Page title="Workbench">
      <Empty icon={Compass} title="There is no such page">
        <Link to="/flows" className="text-accent underline">
          Go to Flows
        </Link>
      </Empty>
    </Page>
  );
}
