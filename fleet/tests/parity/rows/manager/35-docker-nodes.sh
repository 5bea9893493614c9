# from: hook
# user: root
docker node ls
docker node ls --format '{{.Hostname}} {{.Status}} {{.Availability}} {{.ManagerStatus}} {{.Self}}' | sort
docker node ls -q | wc -l; docker node ls --filter role=worker --format '{{.Hostname}}'; docker node ls --filter name=m1 -q | wc -l
docker node inspect self --format '{{.Description.Hostname}} {{.Spec.Role}} {{.Spec.Availability}} {{.Status.State}} {{.Status.Addr}} {{.ManagerStatus.Leader}} {{.ManagerStatus.Reachability}}'
docker node inspect w1 --format '{{json .Spec.Labels}} {{if .ManagerStatus}}manager{{else}}worker{{end}}'
docker node inspect self --format json; docker node inspect self --pretty | head -n 12
docker node inspect $(docker node ls -q) --format '{{.Description.Hostname}} {{.Description.Platform.OS}} {{.Description.Engine.EngineVersion}}' | sort
docker node inspect nosuch; echo "status $?"
docker node ps self --format '{{.Name}} {{.Image}} {{.DesiredState}}' | sed 's/\.[a-z0-9]* / /'
docker node ps w1 --format '{{.Node}} {{.CurrentState}}' | cut -d' ' -f1-2
docker node update --label-add zone=a w1; docker node inspect w1 --format '{{.Spec.Labels.zone}}'; docker node update --label-rm zone w1; docker node update --label-rm zone w1; echo "status $?"
docker node update --availability pause w1; docker node ls --format '{{.Hostname}} {{.Availability}}' | sort; docker node update --availability active w1
docker node update --label-add a=b self; echo "status $?"; docker node update nosuch; echo "status $?"; docker node update --availability nosuch w1; echo "status $?"; docker node rm w1; echo "status $?"; docker node ls --filter nosuch=1; echo "status $?"
